// Package oip is the Open Inference Protocol, version 2: the requests and answers that KServe, Triton and their clients
// exchange over HTTP, to and from tensors. It holds the JSON form, the binary tensor data extension, the documents about
// servers and models, and a small client. It knows no model and keeps no time; package serve answers requests with it.
//
// The protocol is written down at the repository kserve/open-inference-protocol, the extensions in the documentation
// of Triton Inference Server.
//
// Nothing in a message is trusted: the memory that a message can ask for is bounded by the bytes that arrived, nesting by the
// rank of a tensor, and what does not follow the protocol is an *InvalidError with the place in the message.
package oip
