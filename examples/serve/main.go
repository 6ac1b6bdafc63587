// Command serve is a program of one's own with octet's server in it: a page at / that classifies the pictures people give
// it, and the Open Inference Protocol below /v2, both with the same queue and the same bounds.
//
//	serve resnet20.int8.safetensors                  a model that octet saved, then open http://127.0.0.1:8090
//	serve -arch resnet20-cifar resnet20.th           weights that torch.save wrote
//
// The model takes float32 [N, 3, height, width], made of pictures as its file says, else normalized with the mean and standard deviation of ImageNet.
package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/graph/nn"
	"github.com/octet-ml/octet/loader"
	"github.com/octet-ml/octet/serve"
	"github.com/octet-ml/octet/tensor"
)

// cifar10 are the classes of CIFAR-10 in the order of its labels.
const cifar10 = "airplane,automobile,bird,cat,deer,dog,frog,horse,ship,truck"

func main() {
	addr := flag.String("addr", "127.0.0.1:8090", "address to listen at")
	arch := flag.String("arch", "", "architecture of the weights: "+strings.Join(nn.Names(), ", "))
	names := flag.String("classes", cifar10, "names of the classes, joined by commas")
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *addr, flag.Arg(0), *arch, strings.Split(*names, ",")); err != nil {
		log.Fatal(err)
	}
}

// run serves until the context ends.
func run(ctx context.Context, addr, path, arch string, names []string) error {
	srv, handler, err := newServer(ctx, path, arch, names)
	if err != nil {
		return err
	}
	defer srv.Close()
	server := &http.Server{Addr: addr, Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	context.AfterFunc(ctx, func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = server.Shutdown(ctx)
	})
	log.Printf("http://%s", addr)
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

//go:embed page.html
var page []byte

// modelName is what the model is called below /v2.
const modelName = "classifier"

// newServer loads and warms up the model, and returns what answers requests.
func newServer(ctx context.Context, path, arch string, names []string) (*serve.Server, http.Handler, error) {
	g, err := openModel(path, arch)
	if err != nil {
		return nil, nil, err
	}
	if len(g.Inputs) != 1 || len(g.Inputs[0].Type.Shape) != 4 || g.Inputs[0].Type.Shape[1] != 3 {
		return nil, nil, fmt.Errorf("%s: the model does not take pictures, float32 [N, 3, height, width]", path)
	}
	decoder := newPictures(g)
	srv, err := serve.New(serve.Options{Decoder: decoder})
	if err != nil {
		return nil, nil, err
	}
	if err := srv.Load(ctx, modelName, serve.Graph(g)); err != nil {
		srv.Close()
		return nil, nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(page)
	})
	mux.Handle("/v2/", srv.Handler())
	if g.Info != nil && len(g.Info.Labels) > 0 {
		names = g.Info.Labels
	}
	classify := &classifier{srv, decoder, names}
	// Other sites may not let the browser of someone who visits them use this server.
	mux.Handle("POST /classify", http.NewCrossOriginProtection().Handler(classify))
	return srv, mux, nil
}

func openModel(path, arch string) (*graph.Graph, error) {
	if arch == "" {
		return loader.Load(path)
	}
	a, err := nn.ByName(arch)
	if err != nil {
		return nil, err
	}
	return loader.Build(path, a)
}

// classifier answers a PNG or JPEG with its classes.
type classifier struct {
	srv   *serve.Server
	how   pictures
	names []string
}

// class is what a picture may show.
type class struct {
	Name  string  `json:"name"`
	Share float32 `json:"share"` // softmax of the logits
}

// mostBytes bounds a picture as it is sent.
const mostBytes = 16 << 20

func (c *classifier) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	picture, err := io.ReadAll(http.MaxBytesReader(w, r.Body, mostBytes))
	if err != nil {
		http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
		return
	}
	x, err := c.how.how.Batch([][]byte{picture}, mostMemory)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	// In process: the same queue as the requests below /v2, without a protocol in between.
	y, err := c.srv.Infer(r.Context(), modelName, x)
	if err != nil {
		http.Error(w, err.Error(), serve.CodeOf(err).HTTP())
		return
	}
	classes, err := c.classes(y[0])
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(classes)
}

// classes returns the classes of logits, the likeliest first.
func (c *classifier) classes(logits *tensor.Tensor) ([]class, error) {
	shares, err := tensor.Softmax(logits)
	if err != nil {
		return nil, err
	}
	values, indices, err := tensor.TopK(shares, min(5, shares.Dim(-1)))
	if err != nil {
		return nil, err
	}
	var all []class
	for i, index := range indices.Int64s() {
		name := fmt.Sprintf("class %d", index)
		if int(index) < len(c.names) {
			name = c.names[index]
		}
		all = append(all, class{name, values.Float32s()[i]})
	}
	return all, nil
}
