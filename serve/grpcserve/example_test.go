package grpcserve_test

import (
	"context"
	"fmt"
	"log"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/octet-ml/octet/digits"
	"github.com/octet-ml/octet/serve"
	"github.com/octet-ml/octet/serve/grpcserve"
	"github.com/octet-ml/octet/serve/grpcserve/pb"
)

// start serves a model over gRPC and returns a client, and what ends both.
func start() (pb.GRPCInferenceServiceClient, func()) {
	model, err := digits.Load()
	if err != nil {
		log.Fatal(err)
	}
	s, err := serve.New(serve.Options{Threads: 1})
	if err != nil {
		log.Fatal(err)
	}
	if err := s.Load(context.Background(), "digits", serve.Graph(model)); err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	g := grpcserve.New(s, nil)
	go func() { _ = g.Serve(listener) }()
	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		log.Fatal(err)
	}
	return pb.NewGRPCInferenceServiceClient(conn), func() {
		_ = conn.Close()
		_ = g.Stop(context.Background())
		s.Close()
	}
}

// The models of a server answer over gRPC.
func Example() {
	client, stop := start()
	defer stop()
	answer, err := client.ModelInfer(context.Background(), &pb.ModelInferRequest{
		ModelName:        "digits",
		Inputs:           []*pb.ModelInferRequest_InferInputTensor{{Name: "input", Datatype: "FP32", Shape: []int64{1, 1, 8, 8}}},
		RawInputContents: [][]byte{make([]byte, 4*64)},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(answer.Outputs[0].Datatype, answer.Outputs[0].Shape)
	// Output: FP32 [1 10]
}

// A client asks what a model takes.
func ExampleServer_ModelMetadata() {
	client, stop := start()
	defer stop()
	m, err := client.ModelMetadata(context.Background(), &pb.ModelMetadataRequest{Name: "digits"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(m.Inputs[0].Name, m.Inputs[0].Datatype, m.Inputs[0].Shape)
	// Output: input FP32 [-1 1 -1 -1]
}
