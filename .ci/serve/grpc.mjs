// A client of gRPC in JavaScript: @grpc/grpc-js with the protocol's own definition, which it reads by itself.
//
//	node grpc.mjs MODULES PROTO ADDRESS URL N    N inputs in contents and raw, and over HTTP: the answers must have the same bits
import { createRequire } from 'node:module';
import { join } from 'node:path';

const [, , modules, proto, address, url, count] = process.argv;
const require = createRequire(join(modules, 'x'));
const grpc = require('@grpc/grpc-js');
const { inference } = grpc.loadPackageDefinition(require('@grpc/proto-loader').loadSync(proto, { keepCase: true, longs: String }));
const client = new inference.GRPCInferenceService(address, grpc.credentials.createInsecure());

// call calls a method and returns its answer, or throws its error.
const call = (method, request, options = {}) => new Promise((resolve, reject) =>
  client[method](request, new grpc.Metadata(), options, (err, answer) => err ? reject(err) : resolve(answer)));

// refused calls a method, which must fail with the code.
async function refused(code, method, request, options) {
  try {
    await call(method, request, options);
  } catch (err) {
    if (err.code === code) return;
    throw err;
  }
  throw new Error(`${method} is answered, where code ${code} was to come`);
}

const shape = [1, 3, 32, 32], elements = 3 * 32 * 32;
const input = (seed) => Float32Array.from({ length: elements }, (_, i) => Math.sin(i * (seed + 1)));
const bits = (floats) => Buffer.from(Float32Array.from(floats).buffer).toString('hex');

async function http(x) {
  const answer = await fetch(`${url}/v2/models/resnet20/infer`, {
    method: 'POST', body: JSON.stringify({ inputs: [{ name: 'input', datatype: 'FP32', shape, data: Array.from(x) }] }),
  });
  if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
  return bits((await answer.json()).outputs[0].data);
}

if (!(await call('ServerReady', {})).ready) throw new Error('not ready');
const metadata = await call('ModelMetadata', { name: 'resnet20' });
if (metadata.inputs[0].datatype !== 'FP32' || metadata.inputs[0].shape[1] !== '3') throw new Error(JSON.stringify(metadata));
for (let i = 0; i < +count; i++) {
  const x = input(i), declared = { name: 'input', datatype: 'FP32', shape };
  const [contents, raw, json] = await Promise.all([
    call('ModelInfer', { model_name: 'resnet20', inputs: [{ ...declared, contents: { fp32_contents: Array.from(x) } }] }),
    call('ModelInfer', { model_name: 'resnet20', inputs: [declared], raw_input_contents: [Buffer.from(x.buffer)] }),
    http(x),
  ]);
  if (bits(contents.outputs[0].contents.fp32_contents) !== json || raw.raw_output_contents[0].toString('hex') !== json) throw new Error(`input ${i}: other bits`);
}
await refused(grpc.status.NOT_FOUND, 'ModelInfer', { model_name: 'nonesuch' });
await refused(grpc.status.INVALID_ARGUMENT, 'ModelInfer', { model_name: 'resnet20', inputs: [{ name: 'input', datatype: 'FP32', shape: [1, 3], contents: { fp32_contents: [1] } }] });
await refused(grpc.status.DEADLINE_EXCEEDED, 'ModelInfer', { model_name: 'resnet20' }, { deadline: Date.now() - 1 });
client.close();
console.log(`node-grpc: ${count} inputs in contents, raw and over HTTP have the same bits`);
