// Package train fits the parameters of a model: gradients, optimisers, schedules and
// the training step, on the same graphs, memory plans and kernels that serve models.
//
// A [Model] makes graphs in which parameters are variables; [FromGraph] makes one of
// any float model, and package quantize one with quantization in the loop. A [Trainer] adds a
// [Loss], its gradients and an [Optimizer] to such a graph and compiles them into
// one session whose run is one step: it changes the parameters where they lie and allocates nothing.
// With the same seed and data, parameters have the same bits after any number of
// steps, for any number of threads, on one CPU tier.
package train
