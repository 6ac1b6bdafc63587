package filekind

import (
	"strings"
	"testing"
)

func TestOf(t *testing.T) {
	tar := make([]byte, 512)
	copy(tar[257:], "ustar")
	for want, heads := range map[Kind][]string{
		Empty:        {""},
		OtherZip:     {"PK\x03\x04abc"},
		Compressed:   {"\x1f\x8b\x08", "BZh9", "\x28\xb5\x2f\xfd", "\xfd7zXZ\x00", "\x04\x22\x4d\x18"},
		Packed:       {"7z\xbc\xaf\x27\x1c\x00", "Rar!\x1a\x07\x01\x00"},
		Tar:          {string(tar)},
		HDF5:         {"\x89HDF\r\n\x1a\n"},
		TFLite:       {"\x1c\x00\x00\x00TFL3"},
		GGUF:         {"GGUF\x03\x00", "tjgg\x03"},
		Arrays:       {"\x93NUMPY\x01\x00"},
		Image:        {"\x89PNG\r\n\x1a\n", "\xff\xd8\xff\xe0"},
		Program:      {"\x7fELF\x02", "MZ\x90"},
		LFSPointer:   {"version https://git-lfs.github.com/spec/v1\noid"},
		Pickle:       {"\x80\x04K\x01."},
		ONNX:         {"\x08\x07\x12\x07pytorch\x1a\x061.13.1", "\x08\x08:\xf0\x01", "\x08\x0a\x12\x0connx-exampl"},
		CoreML:       {"\x08\x05\x12\x20\x0a\x10\x0a\x05input"},
		TensorFlow:   {"\x08\x01\x12\xcf\x03\x0a", "\x0a\x20\x0a\x01x\x12\x0bPlaceholder", "\x0a\x20\x0a\x01x\x12\x05Const"},
		Safetensors:  {"\x02\x00\x00\x00\x00\x00\x00\x00{}"},
		Truncated:    {"\xff\x00\x00\x00\x00\x00\x00\x00{\"a"},
		WebPage:      {"<!DOCTYPE html>", "\n  <html>", "\xef\xbb\xbf<HTML>", "<?xml version=\"1.0\"?><html xmlns"},
		Text:         {"hello", "{\"error\": 404}", "<?xml version=\"1.0\"?><net>", "Not Found\n", "caf\xc3"},
		Unrecognized: {"\x00\x01\x02", "abc\x00def", "\x08", "\x08\x21abc"},
	} {
		for _, head := range heads {
			e := Of([]byte(head), int64(len(head)))
			if e.Kind != want || e.Advice == "" || !strings.Contains(e.Error(), string(want)) {
				t.Errorf("%q: %v, want %v", head, e, want)
			}
		}
	}
}

// TestOfConfig gives the configuration of a model in place of its folder.
func TestOfConfig(t *testing.T) {
	e := Of([]byte("{\n  \"architectures\": [\"BertModel\"],"), 900)
	if e.Kind != Text || !strings.Contains(e.Error(), "the folder that it is in") {
		t.Error(e)
	}
}

func TestOfRecords(t *testing.T) {
	for want, names := range map[Kind][]string{
		TorchScript: {"net/data.pkl", "net/constants.pkl"},
		Exported:    {"m/models/model.json", "m/data/weights/0"},
		TorchSave:   {"a/data.pkl", "a/data/0"},
		Keras:       {"metadata.json", "config.json", "model.weights.h5"},
		Arrays:      {"x.npy", "y.npy"},
		Packed:      {"readme.txt", "model.pt"},
		OtherZip:    {"readme.txt"},
	} {
		if e := OfRecords(names); e.Kind != want {
			t.Errorf("%v: %v, want %v", names, e, want)
		}
	}
	for _, ext := range modelExtensions {
		if e := OfRecords([]string{"model" + ext}); e.Kind != Packed {
			t.Errorf("%s in a zip file: %v", ext, e)
		}
	}
	if e := OfFolder([]string{"variables", "saved_model.pb"}); e.Kind != TensorFlow {
		t.Errorf("a SavedModel: %v", e)
	}
	if e := OfFolder([]string{"config.json", "pytorch_model.bin"}); e.Kind != Folder || !strings.Contains(e.Advice, "pytorch_model.bin") {
		t.Errorf("a folder with weights: %v", e)
	}
}
