package main

import (
	"encoding/json"
	"os"
)

// trainingLog is a file with a line of JSON for each step and each epoch. The nil one is no file.
type trainingLog struct{ f *os.File }

// stepLine is the line of a step: the loss before it, and the learning rate it was made with.
type stepLine struct {
	Step    int     `json:"step"` // counted from 1
	Epoch   int     `json:"epoch"`
	Loss    float64 `json:"loss"`
	Rate    float64 `json:"rate"`
	Seconds float64 `json:"seconds"` // of the step
}

// epochLine is the line of an epoch.
type epochLine struct {
	Epoch    int      `json:"epoch"` // counted from 1
	Steps    int      `json:"steps"` // made until then
	MeanLoss float64  `json:"mean_loss"`
	Accuracy *float64 `json:"accuracy,omitempty"` // of the int8 model on --eval
	Seconds  float64  `json:"seconds"`            // of its steps
	Arena    int      `json:"arena_bytes"`        // activations, gradients and scratch memory of its last step
}

// openLog opens the file at path: behind what it has when training is resumed, else anew.
func openLog(path string, resumed bool) (*trainingLog, error) {
	if path == "" {
		return nil, nil
	}
	flags := os.O_CREATE | os.O_WRONLY | os.O_TRUNC
	if resumed {
		flags = os.O_CREATE | os.O_WRONLY | os.O_APPEND
	}
	f, err := os.OpenFile(path, flags, 0o644)
	if err != nil {
		return nil, err
	}
	return &trainingLog{f}, nil
}

// write adds a line.
func (l *trainingLog) write(v any) error {
	if l == nil {
		return nil
	}
	return json.NewEncoder(l.f).Encode(v)
}

func (l *trainingLog) close() error {
	if l == nil {
		return nil
	}
	return l.f.Close()
}
