// Package serve answers requests for inference: it holds models by name and version, admits requests within bounds, runs them on
// as many cores as there are, and speaks the Open Inference Protocol over HTTP. A program embeds it:
//
//	srv, err := serve.New(serve.Options{})
//	err = srv.Load(ctx, "resnet20", serve.File("resnet20.int8.safetensors"))
//	http.Handle("/", srv.Handler())
//	y, err := srv.Infer(ctx, "resnet20", x) // in process, in the same queue and within the same bounds
//
// Other protocols and exporters of metrics stand beside it: they use Server.Admit, the documents that Server returns, CodeOf
// and Observer.
//
// Results do not depend on load: a request has the bits that a run alone has, whatever runs beside it or joined with it.
package serve
