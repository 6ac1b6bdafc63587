package loader

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
)

// packText returns the JSON of a graph as files have it: compressed (RFC 1951), in Base64 without padding. Nodes and constants of a
// network are much alike, so that it takes a tenth of the JSON.
func packText(text string) (string, error) {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		return "", err
	}
	if _, err := io.WriteString(w, text); err != nil {
		return "", err
	}
	if err := w.Close(); err != nil {
		return "", err
	}
	return base64.RawStdEncoding.EncodeToString(b.Bytes()), nil
}

// unpackText returns the JSON of a graph. Older files have it as it is.
func unpackText(packed string) (string, error) {
	if strings.HasPrefix(packed, "{") {
		return packed, nil
	}
	compressed, err := base64.RawStdEncoding.DecodeString(packed)
	if err != nil {
		return "", &FileError{Record: modelMetadata, Reason: "neither JSON nor compressed: " + err.Error()}
	}
	source := bytes.NewReader(compressed)
	text, err := io.ReadAll(io.LimitReader(flate.NewReader(source), maxModelText+1))
	switch {
	case err != nil:
		return "", &FileError{Record: modelMetadata, Reason: "the graph cannot be decompressed: " + err.Error()}
	case len(text) <= maxModelText && source.Len() > 0:
		return "", &FileError{Record: modelMetadata, Reason: fmt.Sprintf("%d bytes follow the compressed graph", source.Len())}
	}
	return string(text), nil
}
