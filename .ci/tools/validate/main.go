// Command validate decodes objects of Kubernetes strictly: a field that the API does not have is an error, and so is a
// kind that it does not know. It prints a line for each object of the YAML files that it is given.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"

	apps "k8s.io/api/apps/v1"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	"sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

// kinds makes an object of each kind.
var kinds = map[string]func() any{
	"apps/v1 Deployment": func() any { return &apps.Deployment{} },
	"batch/v1 Job":       func() any { return &batch.Job{} },
	"v1 Service":         func() any { return &core.Service{} },
}

func main() {
	failed := len(os.Args) < 2
	for _, path := range os.Args[1:] {
		if err := validate(path); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", path, err)
			failed = true
		}
	}
	if failed {
		os.Exit(1)
	}
}

// validate decodes the objects of a file.
func validate(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	for i, document := range bytes.Split(data, []byte("\n---\n")) {
		var head struct {
			APIVersion string `json:"apiVersion"`
			Kind       string `json:"kind"`
			Metadata   struct {
				Name string `json:"name"`
			} `json:"metadata"`
		}
		if err := yaml.Unmarshal(document, &head); err != nil {
			return fmt.Errorf("object %d: %w", i, err)
		}
		kind := head.APIVersion + " " + head.Kind
		object, ok := kinds[kind]
		if !ok {
			return fmt.Errorf("object %d: no kind %q", i, kind)
		}
		if err := decode(document, object()); err != nil {
			return fmt.Errorf("object %d, %s: %w", i, kind, err)
		}
		if head.Metadata.Name == "" {
			return fmt.Errorf("object %d, %s: it has no name", i, kind)
		}
		fmt.Printf("%s: %s %s\n", path, kind, head.Metadata.Name)
	}
	return nil
}

// decode is strict as Kubernetes is: yaml.UnmarshalStrict would take fields in any case.
func decode(document []byte, object any) error {
	data, err := yaml.YAMLToJSONStrict(document)
	if err != nil {
		return err
	}
	unknown, err := json.UnmarshalStrict(data, object)
	return errors.Join(append(unknown, err)...)
}
