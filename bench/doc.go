// Package bench measures models: latency and throughput, their share of what
// the machine can do, memory, accuracy against labels and agreement between two
// runs.
package bench
