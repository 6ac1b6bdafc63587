// Package pb is the messages and the gRPC service of the Open Inference Protocol, generated from a definition with its
// names and field numbers. It is also a client: NewGRPCInferenceServiceClient.
//
// A program that links another package generated from the same definition has two of one name, and protobuf ends it at its
// start unless GOLANG_PROTOBUF_REGISTRATION_CONFLICT says otherwise.
package pb

//go:generate protoc --go_out=. --go_opt=paths=source_relative,Mopen_inference_grpc.proto=github.com/octet-ml/octet/serve/grpcserve/pb --go-grpc_out=. --go-grpc_opt=paths=source_relative,Mopen_inference_grpc.proto=github.com/octet-ml/octet/serve/grpcserve/pb open_inference_grpc.proto
