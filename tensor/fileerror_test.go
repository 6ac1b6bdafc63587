package tensor

import (
	"errors"
	"strings"
	"testing"
)

func TestFileError(t *testing.T) {
	cause := errors.New("cause")
	for _, c := range []struct {
		err  *FileError
		want string
	}{
		{&FileError{File: "a.pth", Record: "data/0", Reason: "12 bytes", Err: cause}, "a.pth: data/0: 12 bytes: cause"},
		{&FileError{Reason: "empty file"}, "empty file"},
		{&FileError{File: "a", Reason: "bad"}, "a: bad"},
		{&FileError{Record: "\x1b[31mred", Reason: "bad"}, `"\x1b[31mred": bad`},
		{&FileError{Record: "\xff", Reason: "bad"}, `"\xff": bad`},
		{&FileError{Record: strings.Repeat("n", 1000), Reason: "bad"}, strings.Repeat("n", 200) + "...: bad"},
	} {
		if got := c.err.Error(); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
	if err := error(&FileError{Err: cause}); !errors.Is(err, cause) {
		t.Error("the cause is lost")
	}
}
