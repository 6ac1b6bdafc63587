package grpcserve

import (
	"context"
	"encoding/json"

	"github.com/octet-ml/octet/serve/grpcserve/pb"
	"github.com/octet-ml/octet/serve/oip"
)

// ServerLive says that the server lives.
func (g *Server) ServerLive(context.Context, *pb.ServerLiveRequest) (*pb.ServerLiveResponse, error) {
	return &pb.ServerLiveResponse{Live: true}, nil
}

// ServerReady says whether all models take requests.
func (g *Server) ServerReady(context.Context, *pb.ServerReadyRequest) (*pb.ServerReadyResponse, error) {
	ready, _ := g.server.Ready()
	return &pb.ServerReadyResponse{Ready: ready}, nil
}

// ModelReady says whether a model takes requests.
func (g *Server) ModelReady(ctx context.Context, r *pb.ModelReadyRequest) (*pb.ModelReadyResponse, error) {
	ready, _, err := g.server.ModelReady(r.GetName(), r.GetVersion())
	if err != nil {
		return nil, statusOf(ctx, err, "")
	}
	return &pb.ModelReadyResponse{Ready: ready}, nil
}

// ServerMetadata describes the server. Of its extensions, that of binary data is over gRPC the protocol itself.
func (g *Server) ServerMetadata(context.Context, *pb.ServerMetadataRequest) (*pb.ServerMetadataResponse, error) {
	m := g.server.Metadata()
	return &pb.ServerMetadataResponse{Name: m.Name, Version: m.Version, Extensions: []string{"sequence", "schedule_policy"}}, nil
}

// ModelMetadata describes a model.
func (g *Server) ModelMetadata(ctx context.Context, r *pb.ModelMetadataRequest) (*pb.ModelMetadataResponse, error) {
	m, err := g.server.ModelMetadata(r.GetName(), r.GetVersion())
	if err != nil {
		return nil, statusOf(ctx, err, "")
	}
	answer := &pb.ModelMetadataResponse{
		Name: m.Name, Versions: m.Versions, Platform: m.Platform,
		Inputs: describe(m.Inputs), Outputs: describe(m.Outputs), Properties: make(map[string]string, len(m.Parameters)),
	}
	for key, value := range m.Parameters {
		text, ok := value.(string)
		if !ok {
			encoded, err := json.Marshal(value)
			if err != nil {
				return nil, statusOf(ctx, err, "")
			}
			text = string(encoded)
		}
		answer.Properties[key] = text
	}
	return answer, nil
}

func describe(list []oip.TensorMetadata) []*pb.ModelMetadataResponse_TensorMetadata {
	described := make([]*pb.ModelMetadataResponse_TensorMetadata, len(list))
	for i, t := range list {
		described[i] = &pb.ModelMetadataResponse_TensorMetadata{Name: t.Name, Datatype: string(t.Datatype), Shape: t.Shape}
	}
	return described
}
