// Ids that Hugging Face's tokenizers for JavaScript give: node ids.js <REQUEST >ANSWER
// NODE_PATH names the folder that @huggingface/tokenizers is installed in. The request has files of tokenizers and texts, each alone or with a
// second one; the answer has for each file a list of ids for each text.
const fs = require('fs');
const { Tokenizer } = require('@huggingface/tokenizers');

const { files, texts } = JSON.parse(fs.readFileSync(0));
const answer = files.map((file) => {
  const tokenizer = new Tokenizer(JSON.parse(fs.readFileSync(file)), {});
  return texts.map(([a, b]) => tokenizer.encode(a, b === undefined ? {} : { text_pair: b }).ids);
});
fs.writeSync(1, JSON.stringify(answer));
