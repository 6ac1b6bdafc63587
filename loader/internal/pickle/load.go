package pickle

import "fmt"

// Options say what a pickle may hold.
type Options struct {
	// Global reports why a pickle may not refer to a class or function, nil where
	// it may. Without it none is allowed. Allowing a name does not run anything.
	Global func(module, name string) error
	// Call returns a value that stands for a call of a class with arguments, nil for an *Object that keeps both. What
	// it returns holds no other values and cannot be changed by the pickle. It must not keep the arguments' memory
	// where it wants to save it.
	Call func(class *Class, args Tuple) Value
	// BareArguments lets a class be called with an argument that is not in a tuple,
	// as TorchScript writes the members of enums.
	BareArguments bool
	// Limits replace the default limits where they are not 0.
	Limits Limits
}

// Load decodes the pickle at the beginning of data and returns its value and the
// bytes it takes. A pickle that is refused gives an *Error; when the bytes end
// before the pickle does, its Truncated is set. The value does not refer to data.
func Load(data []byte, opts Options) (Value, int, error) {
	if opts.Global == nil {
		opts.Global = func(module, name string) error { return fmt.Errorf("no names are allowed here") }
	}
	opts.Limits = opts.Limits.orDefault()
	s := newScanner(data, opts.Limits)
	n, err := s.scan()
	if err != nil {
		return nil, 0, err
	}
	v, err := newMachine(data[:n], opts, s.used).run()
	if err != nil {
		return nil, 0, err
	}
	return v, n, nil
}
