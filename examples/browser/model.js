// Model of an ONNX export in onnxruntime-web: texts to probabilities, or to sentence vectors and their cosines.

import * as ort from './ort.wasm.min.mjs';
import { WordPieces } from './word_pieces.js';

ort.env.wasm.numThreads = 1; // more need headers that a plain file server does not send
ort.env.wasm.wasmPaths = new URL('./', import.meta.url).href;

const INPUTS = ['input_ids', 'input_mask', 'segment_ids'];

export class Model {
  /** Loads export.json, vocab.txt and model.onnx from the page's own folder. */
  static async load() {
    const settings = JSON.parse(await fetched('export.json', 'text'));
    const tokenizer = new WordPieces(await fetched('vocab.txt', 'text'), settings.do_lower_case);
    const file = await fetched('model.onnx', 'arrayBuffer');
    const session = await ort.InferenceSession.create(file, { executionProviders: ['wasm'] });
    return new Model(settings, tokenizer, session, file.byteLength);
  }

  constructor(settings, tokenizer, session, bytes) {
    Object.assign(this, { settings, tokenizer, session, bytes });
    this.isVector = settings.head === 'sentence_vector';
  }

  /** Similarity of two texts: a cosine, or the probability of the label that means "similar". */
  async similarity(a, b) {
    if (this.isVector) return dot(await this.vector(a), await this.vector(b));
    const probabilities = await this.run([a, b]);
    return probabilities[this.settings.labels.indexOf(this.settings.similar_label)];
  }

  vector(text) {
    return this.run([text]);
  }

  /** The row of the model's output for one or two texts. */
  async run(texts) {
    const rows = this.tokenizer.inputs(texts, this.settings.max_seq_length);
    const tensors = INPUTS.map((name, i) => [name, new ort.Tensor('int32', Int32Array.from(rows[i]), [1, rows[i].length])]);
    const answers = await this.session.run(Object.fromEntries(tensors));
    return answers[this.settings.outputs[0]].data;
  }
}

export function dot(a, b) {
  return a.reduce((sum, value, i) => sum + value * b[i], 0);
}

export class MissingFile extends Error {}

async function fetched(name, kind) {
  const response = await fetch(new URL(name, import.meta.url));
  if (!response.ok) throw new MissingFile(name);
  return response[kind]();
}
