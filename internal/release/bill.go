package main

import (
	"encoding/json"
	"net/url"
	"runtime"
	"strings"
)

// module is a Go module that a program has packages of.
type module struct{ path, version string }

// bill is a software bill of materials as CycloneDX 1.5 has it (https://cyclonedx.org/docs/1.5/json), without a serial number and a time,
// so that the same sources give the same bytes.
type bill struct {
	Format      string      `json:"bomFormat"`
	SpecVersion string      `json:"specVersion"`
	Version     int         `json:"version"`
	Metadata    metadata    `json:"metadata"`
	Components  []component `json:"components"`
}

type metadata struct {
	Component component `json:"component"`
}

type component struct {
	Type    string `json:"type"`
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
	PURL    string `json:"purl,omitempty"`
	Hashes  []hash `json:"hashes,omitempty"`
}

type hash struct {
	Algorithm string `json:"alg"`
	Content   string `json:"content"`
}

// encodeBill returns what the program for a platform is made of: its SHA-256, the modules and the Go that compiled them.
func encodeBill(p platform, sum string, modules []module) ([]byte, error) {
	b := bill{Format: "CycloneDX", SpecVersion: "1.5", Version: 1, Metadata: metadata{component{
		Type: "application", Name: p.file(), PURL: packageURL(module{"github.com/octet-ml/octet", ""}), Hashes: []hash{{"SHA-256", sum}},
	}}}
	goVersion := strings.TrimPrefix(runtime.Version(), "go")
	b.Components = append(b.Components, component{Type: "library", Name: "std", Version: goVersion, PURL: packageURL(module{"std", goVersion})})
	for _, m := range modules {
		b.Components = append(b.Components, component{Type: "library", Name: m.path, Version: m.version, PURL: packageURL(m)})
	}
	encoded, err := json.MarshalIndent(b, "", "  ")
	return append(encoded, '\n'), err
}

// packageURL names a module as https://github.com/package-url/purl-spec says for Go.
func packageURL(m module) string {
	u := "pkg:golang/" + strings.ToLower(m.path)
	if m.version != "" {
		u += "@" + url.PathEscape(m.version)
	}
	return u
}
