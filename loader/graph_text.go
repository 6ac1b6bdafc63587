package loader

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
)

// packText returns a text, such as the JSON of a graph, as files have it: compressed (RFC 1951), in Base64 without padding. Nodes and constants of a
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

// unpackText returns what packText was given of a record. Older files have the JSON of a graph as it is.
func unpackText(record, packed string) (string, error) {
	if record == modelMetadata && strings.HasPrefix(packed, "{") {
		return packed, nil
	}
	compressed, err := base64.RawStdEncoding.DecodeString(packed)
	if err != nil {
		return "", &FileError{Record: record, Reason: "neither JSON nor compressed: " + err.Error()}
	}
	source := bytes.NewReader(compressed)
	text, err := io.ReadAll(io.LimitReader(flate.NewReader(source), maxModelText+1))
	switch {
	case err != nil:
		return "", &FileError{Record: record, Reason: "it cannot be decompressed: " + err.Error()}
	case len(text) > maxModelText && record != modelMetadata: // parseModel says it of a graph
		return "", &FileError{Record: record, Reason: fmt.Sprintf("more than %d bytes", maxModelText)}
	case len(text) <= maxModelText && source.Len() > 0:
		return "", &FileError{Record: record, Reason: fmt.Sprintf("%d bytes follow what is compressed", source.Len())}
	}
	return string(text), nil
}
