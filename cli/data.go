package cli

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/octet-ml/octet/data"
	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/internal/filekind"
	"github.com/octet-ml/octet/quantize"
	"github.com/octet-ml/octet/tensor"
)

// dataHelp says what data is read.
const dataHelp = `Data is one of these; only a batch of it is in memory:

  DIR                 pictures (JPEG, PNG, WebP) or sounds (WAV): a class in each
                      folder, as ImageFolder of torchvision has it, or those that
                      labels.csv in it names, or files without labels
  FILE.jpg, .wav ...  one of them
  FILE.csv            a header, and numbers, or a column "file" of names, beside
                      --label-column
  FILE.npz            an array for each input of the model, by its name or else in
                      order, samples first (x for a single input); y, what the
                      outputs should be (labels where the model has an input y);
                      mean and std, one for all channels or one per channel, with
                      which a uint8 x becomes (x/255 - mean)/std. Other bytes stay
                      bytes: --scale-bytes makes x/255 of them
  FILE.npy            the array x
  FILE.txt, .jsonl    texts, one a line or in JSON (text, text_pair, label), or .tsv
                      with a header, for a model with a tokenizer

Pictures become uint8 [channels, height, width], by --size, --crop and --channels
as torchvision's Resize, CenterCrop and Grayscale do it, and then
(x/255 - mean)/std by --mean and --std. Sounds are float32 [channels, samples] in
-1 to 1. What the file of a model says of these needs no flag (octet inspect shows
it), and a flag goes before it.`

// dataFlags say how data is read.
type dataFlags struct {
	scaleBytes          bool
	size, crop          string
	mean, std           []float32
	channels, rate      int
	exif, skipBad       bool
	labels, labelColumn string
	tokenizer           string // file or folder
	model               string // path of the model that texts are for
	encoder             *textEncoder

	said bool // what flags take the place of

	state *quantize.Quantizer // that --state names and that knows how its samples were prepared, or nil
}

// dataFlagNames lists their names.
var dataFlagNames = []string{"scale-bytes", "size", "crop", "mean", "std", "channels", "exif-rotation", "sample-rate", "labels", "label-column", "skip-bad", "tokenizer"}

func (f *dataFlags) add(cmd *cobra.Command) {
	f.addPictures(cmd)
	s := cmd.Flags()
	s.BoolVar(&f.scaleBytes, "scale-bytes", false, "make x/255 of uint8 samples that come without mean and std")
	s.StringVar(&f.labelColumn, "label-column", "", "column of labels in a CSV file (default: label, where there is one)")
	s.BoolVar(&f.skipBad, "skip-bad", false, "leave out samples that cannot be decoded, and count them")
}

// addPictures adds those that the file of a model can answer.
func (f *dataFlags) addPictures(cmd *cobra.Command) {
	s := cmd.Flags()
	s.StringVar(&f.size, "size", "", "resize pictures: 256 makes the shorter edge that, 224x320 height and width")
	s.StringVar(&f.crop, "crop", "", "take the middle of pictures: 224, or 224x320 for height and width")
	s.Float32SliceVar(&f.mean, "mean", nil, "mean of pictures: `numbers` 0 to 1, one for all channels or one for each, such as 0.485,0.456,0.406")
	s.Float32SliceVar(&f.std, "std", nil, "standard deviation of pictures: `numbers` as of --mean, such as 0.229,0.224,0.225")
	for _, name := range []string{"mean", "std"} {
		s.Lookup(name).DefValue = "" // help shows no "[]"
	}
	s.IntVar(&f.channels, "channels", 0, "channels of pictures: 3, or 1 for grey (default 3)")
	s.BoolVar(&f.exif, "exif-rotation", false, "turn pictures as their Exif orientation says, which ImageFolder does not")
	s.StringVar(&f.tokenizer, "tokenizer", "", "for texts: tokenizer.json, vocab.txt or the folder that has one (default: that of the model, or beside its file)")
	s.IntVar(&f.rate, "sample-rate", 0, "samples per second that sounds must have (default: that of the first)")
	s.StringVar(&f.labels, "labels", "", "text file of the model's class names, one a line, for data with names of classes (default: those of the data, sorted)")
}

// preprocessing returns what the flags say of pictures.
func (f *dataFlags) preprocessing() (p graph.Preprocessing, err error) {
	p = graph.Preprocessing{Channels: f.channels, Mean: f.mean, Std: f.std, Rotate: f.exif}
	if p.Size, err = parseEdges("size", f.size); err != nil {
		return p, err
	}
	if p.Crop, err = parseEdges("crop", f.crop); err != nil {
		return p, err
	}
	if f.rate < 0 {
		return p, usagef("--sample-rate %d: it must be at least 1", f.rate)
	}
	return p, nil
}

// parseEdges reads "224" or "224x320".
func parseEdges(flag, text string) (edges []int, err error) {
	if text == "" {
		return nil, nil
	}
	for part := range strings.SplitSeq(text, "x") {
		n, err := strconv.Atoi(part)
		if err != nil {
			return nil, usagef("--%s %q: write 224, or 224x320 for height and width", flag, text)
		}
		edges = append(edges, n)
	}
	return edges, nil
}

// mostLabels bounds the bytes of a file of class names.
const mostLabels = 16 << 20

// readLines returns the lines of a file, without an empty one at its end.
func readLines(path string) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, &tensor.FileError{File: path, Reason: "a folder: " + filekind.OfClasses}
	}
	text, err := io.ReadAll(io.LimitReader(f, mostLabels))
	if err != nil {
		return nil, err
	}
	if err := filekind.NotText(text, filekind.OfClasses); len(text) > 0 && err != nil {
		return nil, &tensor.FileError{File: path, Err: err}
	}
	var lines []string
	for line := range strings.Lines(string(text)) {
		lines = append(lines, strings.TrimRight(line, "\r\n"))
	}
	if len(lines) == 0 {
		return nil, &tensor.FileError{File: path, Reason: "it names no classes"}
	}
	return lines, nil
}

// adviseData names the flag that helps where a model does not take what data has.
func adviseData(err error) error {
	switch {
	case is[*data.BytesError](err):
		return fmt.Errorf("%w (--scale-bytes)", err)
	case is[*data.UnevenError](err):
		return fmt.Errorf("%w (--size and --crop give pictures one size, --batch 1 takes each by itself)", err)
	case is[*data.PictureError](err):
		return fmt.Errorf("%w (--size, --crop and --channels)", err)
	}
	return err
}

// sayUnused names the arrays of a file that are of no use for the model.
func (a *app) sayUnused(path string, d *data.Dataset, g *graph.Graph, whole bool) {
	names := d.Unused(g, whole)
	if isText(path) { // some models do without token_type_ids
		names = nil
	}
	if len(names) > 0 {
		a.say("%s: not used, for the model has no such input: %s", path, strings.Join(names, ", "))
	}
	if why := d.Unnormalized(g, whole); why != "" {
		a.say("%s: %s", path, why)
	}
}

// unknownName says that a flag has none of the values it may have, and which is nearest.
func unknownName(flag, value string, names []string) error {
	near := didYouMean(value, names)
	return usagef("--%s %q: it must be one of %s%s", flag, value, strings.Join(names, ", "), near)
}
