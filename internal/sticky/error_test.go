package sticky_test

import (
	"errors"
	"testing"

	"github.com/octet-ml/octet/internal/sticky"
)

func TestError(t *testing.T) {
	var e sticky.Error
	e.Fail(nil)
	if e.Err() != nil {
		t.Fatalf("error %v after a step without one", e.Err())
	}
	first := errors.New("first")
	e.Fail(first)
	e.Fail(nil)
	e.Fail(errors.New("second"))
	if !errors.Is(e.Err(), first) {
		t.Errorf("error %v, want the first", e.Err())
	}
}
