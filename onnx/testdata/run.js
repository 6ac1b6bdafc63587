// Runs a model in ONNX Runtime: node run.js MODEL.onnx OUTPUT.npy INPUT.npy...
// NODE_PATH names the folder that onnxruntime-node is installed in. Inputs are given in the order of the model's, in batches where
// their first extent is above its own. ORT_OPTIMIZATION=disabled turns off the optimizations of the graph, whose int8 kernels saturate on
// CPUs without VNNI.
const fs = require('fs');
const ort = require('onnxruntime-node');

function readNpy(path) {
  const b = fs.readFileSync(path);
  const n = b.readUInt16LE(8);
  const header = b.toString('latin1', 10, 10 + n);
  const kind = /'descr': '<?\|?([a-z]\d)'/.exec(header)[1];
  const dims = /\(([^)]*)\)/.exec(header)[1].split(',').filter((s) => s.trim()).map(Number);
  const bytes = b.subarray(10 + n);
  const copy = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
  if (kind === 'f4') return new ort.Tensor('float32', new Float32Array(copy), dims);
  if (kind === 'i8') return new ort.Tensor('int64', new BigInt64Array(copy), dims);
  throw new Error(path + ': element type ' + kind);
}

function writeNpy(path, data, dims) {
  let header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${dims.join(', ')}${dims.length === 1 ? ',' : ''}), }`;
  while ((10 + header.length + 1) % 64) header += ' ';
  header += '\n';
  const head = Buffer.alloc(10);
  head.write('\x93NUMPY', 'latin1');
  head[6] = 1;
  head.writeUInt16LE(header.length, 8);
  fs.writeFileSync(path, Buffer.concat([head, Buffer.from(header), Buffer.from(data.buffer, data.byteOffset, data.byteLength)]));
}

async function main() {
  const [model, output, ...inputs] = process.argv.slice(2);
  const session = await ort.InferenceSession.create(model, {
    intraOpNumThreads: 1,
    graphOptimizationLevel: process.env.ORT_OPTIMIZATION || 'all',
  });
  const feeds = {};
  inputs.forEach((path, i) => { feeds[session.inputNames[i]] = readNpy(path); });
  const y = (await session.run(feeds))[session.outputNames[0]];
  writeNpy(output, Float32Array.from(y.data), y.dims);
}
main();
