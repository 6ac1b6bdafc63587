// A client in JavaScript, on fetch alone.
//
//	node fetch.mjs bits URL N        N inputs as JSON and in binary: the answers must have the same bits
//	node fetch.mjs until URL FILE N  N clients send requests until FILE exists; prints how many were answered and failed
import { existsSync } from 'node:fs';

const [, , what, url, ...rest] = process.argv;
const shape = [1, 3, 32, 32], elements = 3 * 32 * 32;
const infer = `${url}/v2/models/resnet20/infer`;

function input(seed) {
  const x = new Float32Array(elements);
  let state = seed + 1;
  for (let i = 0; i < elements; i++) {
    state = (state * 1103515245 + 12345) % 2147483648;
    x[i] = state / 2147483648 * 4 - 2;
  }
  return x;
}

// binary asks in the binary tensor extension and returns the output as float32.
async function binary(x) {
  const header = new TextEncoder().encode(JSON.stringify({
    inputs: [{ name: 'input', datatype: 'FP32', shape, parameters: { binary_data_size: 4 * elements } }],
    parameters: { binary_data_output: true },
  }));
  const body = new Uint8Array(header.length + 4 * elements);
  body.set(header);
  body.set(new Uint8Array(x.buffer), header.length);
  const answer = await fetch(infer, {
    method: 'POST', body,
    headers: { 'Content-Type': 'application/octet-stream', 'Inference-Header-Content-Length': String(header.length) },
  });
  const bytes = await answer.arrayBuffer();
  if (!answer.ok) throw new Error(`${answer.status} ${new TextDecoder().decode(bytes)}`);
  return new Float32Array(bytes.slice(+answer.headers.get('Inference-Header-Content-Length')));
}

async function json(x) {
  const answer = await fetch(infer, {
    method: 'POST', headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ id: 'a', inputs: [{ name: 'input', datatype: 'FP32', shape, data: Array.from(x) }] }),
  });
  const document = await answer.json();
  if (!answer.ok || document.id !== 'a') throw new Error(`${answer.status} ${JSON.stringify(document)}`);
  return Float32Array.from(document.outputs[0].data);
}

if (what === 'bits') {
  for (let i = 0; i < +rest[0]; i++) {
    const x = input(i), a = Buffer.from((await binary(x)).buffer), b = Buffer.from((await json(x)).buffer);
    if (a.length !== 40 || !a.equals(b)) throw new Error(`input ${i}: ${a.toString('hex')} and ${b.toString('hex')}`);
  }
  console.log(`${rest[0]} inputs: JSON and binary have the same bits`);
} else if (what === 'until') {
  const [file, clients] = rest;
  let ok = 0, failed = 0, first = '';
  await Promise.all(Array.from({ length: +clients }, async (_, k) => {
    const x = input(k);
    while (!existsSync(file)) {
      try {
        await binary(x);
        ok++;
      } catch (e) {
        failed++;
        first ||= String(e.cause ?? e);
      }
    }
  }));
  console.log(`ok ${ok} failed ${failed} ${first}`);
} else {
  throw new Error(`unknown: ${what}`);
}
