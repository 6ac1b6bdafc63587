package graph

import "io/fs"

// Info is what a model says of itself beside its graph. All of it may be missing. Clones share it: replace it, do not change it.
type Info struct {
	// Octet is the version of octet that wrote the file the model was read from.
	Octet string `json:"octet,omitempty"`
	// Source and SourceDigest are the name and the SHA-256, in hexadecimal, of the file that this one was made of.
	Source       string `json:"source,omitempty"`
	SourceDigest string `json:"source_sha256,omitempty"`
	// GraphDigest is the SHA-256, in hexadecimal, of the graph as the file has it, without the constants.
	GraphDigest string `json:"graph_sha256,omitempty"`
	// Inputs are what the model takes, as in Signature.
	Inputs []InputInfo `json:"inputs,omitempty"`
	// Preprocessing says how pictures become inputs; nil where the model takes none, or does not say.
	Preprocessing *Preprocessing `json:"preprocessing,omitempty"`
	// SampleRate is the samples per second of sounds; 0 where the model takes none, or does not say.
	SampleRate int `json:"sample_rate,omitempty"`
	// Int8Digest is the SHA-256, in hexadecimal, of the integers that the int8 operators give, each by itself, on integers drawn from
	// Seed: octet verify computes it again.
	Int8Digest string `json:"int8_sha256,omitempty"`
	Seed       uint64 `json:"seed,omitempty"`
	// Labels are the names of the classes, in their order.
	Labels []string `json:"labels,omitempty"`
	// Texts has the files of Hugging Face that say how texts become inputs: tokenizer, configuration, pooling. loader.Load of a folder gives
	// that folder, and files of octet carry them (loader.TextFiles); text.OpenFS(Texts, ".") reads the tokenizer. nil for none.
	Texts fs.FS `json:"-"`
}

// InputInfo is one input of a model.
type InputInfo struct {
	Name  string `json:"name"`
	DType string `json:"dtype"`
	// Shape has -1 for an extent that is free.
	Shape []int64 `json:"shape,omitempty"`
}

// Preprocessing says how pictures become inputs: torchvision's Resize, CenterCrop, ToTensor and Normalize, in this order. Package
// data does it.
type Preprocessing struct {
	// Size is what the shorter edge becomes, or height and width; none leaves pictures as they are. Pictures are resized as
	// Pillow does it, bilinear and antialiased: torchvision gives the same of pictures, and of tensors within one level of 255.
	Size []int `json:"size,omitempty"`
	// Crop is the edge of the square, or height and width, that is taken from the middle; of smaller pictures with black beside them.
	Crop []int `json:"crop,omitempty"`
	// Channels is 3 (red, green and blue; 0 means 3) or 1 (grey, as Pillow's convert("L")). Alpha is dropped.
	Channels int `json:"channels,omitempty"`
	// Mean and Std are one for all channels or one per channel, of values in 0 to 1: (x/255 - mean)/std. Without them it is x/255.
	Mean []float32 `json:"mean,omitempty"`
	Std  []float32 `json:"std,omitempty"`
	// Rotate turns pictures as their Exif orientation says, which torchvision's ImageFolder does not.
	Rotate bool `json:"rotate,omitempty"`
}
