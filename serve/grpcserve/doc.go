// Package grpcserve answers requests over gRPC with the models of a serve.Server: the Open Inference Protocol's service
// inference.GRPCInferenceService, and health checks (grpc.health.v1). Requests share the queues, the bounds and the
// token of those over HTTP, and the same tensors give the same bits.
//
//	g := grpcserve.New(srv, nil)
//	err := g.Serve(listener)
//	err = g.Stop(ctx)
//
// Programs are smaller by some megabytes when they are built with the tag grpcnotrace, which leaves out a page of grpc-go that
// shows requests to people.
package grpcserve
