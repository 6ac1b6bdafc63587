//go:build !nopytorch

package loader

import (
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/octet-ml/octet/graph"
	"github.com/octet-ml/octet/loader/internal/aten"
	"github.com/octet-ml/octet/loader/internal/container"
	"github.com/octet-ml/octet/loader/internal/pickle"
	"github.com/octet-ml/octet/loader/internal/torchscript"
	"github.com/octet-ml/octet/tensor"
)

// The records of a TorchScript archive besides those that torch.save writes: the
// source, the constants' storages, and the version of the operators. Others, such as
// bytecode for phones and files a user added, are not read.
const (
	codeFolder      = "code/"
	constantsFolder = "constants/"
	versionRecord   = "version"
	// PyTorch keeps the version here once an operator needs 6 or later.
	dataVersionRecord = ".data/version"
)

// The versions of archives that are read: 2 came with PyTorch 1.4, whose archives
// are the first of this form.
const (
	minScriptVersion = 2
	maxScriptVersion = 10
)

// ScriptError is something that went wrong in a TorchScript program, at a line
// of its source.
type ScriptError = torchscript.Error

// RaisedError is an exception that a TorchScript program raised.
type RaisedError = aten.RaisedError

// LimitError is a TorchScript program that does more while its graph is made, at load or at a run with new
// shapes, than any real one: runs 2^23 statements, say. A *ScriptError wraps it and says where.
type LimitError = aten.LimitError

// UnsupportedError lists the operators of a TorchScript program that octet does
// not have, each with the lines that use it.
type UnsupportedError = aten.UnsupportedError

// Method names the method of a module of TorchScript that runs, one that torch.jit.export kept, in the place of forward. Hooks are
// forward's alone. A module without it gives a *MethodError, a file that is no such module a *FileError.
func Method(name string) Option { return func(f *modelFile) { f.method = name } }

// MethodError says that a module of TorchScript has no method of the name that the option Method gave.
type MethodError = torchscript.MethodError

// loadTorchScript reads what torch.jit.save wrote. What such a file says of the
// shapes of inputs is nothing, so the graph is an open one, unless the option Inputs
// gives them.
func loadTorchScript(f *modelFile) (*graph.Graph, error) {
	p, err := openTorchScript(f)
	if err != nil {
		return nil, err
	}
	if err := p.Check(f.context()); err != nil {
		return nil, err
	}
	return graph.NewOpen(p.Inputs(), p), nil
}

// Description says what is in a TorchScript archive, without executing it.
type Description = torchscript.Description

func openTorchScript(f *modelFile) (*torchscript.Program, error) {
	a, err := container.OpenWithin(f.r, f.size, f.budget())
	if err != nil {
		return nil, err
	}
	if err := checkByteOrder(a); err != nil {
		return nil, err
	}
	src := torchscript.Source{Code: make(map[string][]byte), Limits: f.programLimits(), Method: f.method}
	if src.Version, err = scriptVersion(a); err != nil {
		return nil, err
	}
	for _, name := range a.Names() {
		inside, ok := strings.CutPrefix(name, codeFolder)
		if !ok || path.Ext(name) != ".py" {
			continue
		}
		if src.Code[inside], err = a.Read(name, maxPickle); err != nil {
			return nil, err
		}
	}
	constants, err := scriptPickle(a, scriptRecord, f.pickleLimits())
	if err != nil {
		return nil, err
	}
	list, ok := constants.(pickle.Tuple)
	if !ok {
		return nil, &FileError{Record: scriptRecord, Reason: "holds " + pickle.Describe(constants) + ", not a tuple"}
	}
	src.Constants = list
	if src.Data, err = scriptPickle(a, pickleRecord, f.pickleLimits()); err != nil {
		return nil, err
	}
	data := newRebuilder(f.zipStorages(a, storageFolder), f.size)
	consts := newRebuilder(f.zipStorages(a, constantsFolder), f.size)
	src.Tensor = func(v pickle.Value, constant bool) (*tensor.Tensor, error) {
		if constant {
			return consts.tensor(v)
		}
		return data.tensor(v)
	}
	src.Short = func(v pickle.Value) bool {
		s, ok := v.(*savedTensor)
		return ok && (s.ref.wide == container.Int16 || s.wide == container.Int16)
	}
	return torchscript.New(f.context(), src)
}

// scriptVersion returns the version of an archive's operators.
func scriptVersion(a *container.Archive) (int, error) {
	record := dataVersionRecord
	if !a.Has(record) {
		record = versionRecord
	}
	if !a.Has(record) {
		return minScriptVersion, nil
	}
	text, err := a.Read(record, 32)
	if err != nil {
		return 0, err
	}
	v, err := strconv.Atoi(strings.TrimSpace(string(text)))
	switch {
	case err != nil:
		return 0, &FileError{Record: record, Reason: fmt.Sprintf("%q is not a version", text)}
	case v < minScriptVersion:
		return 0, &FileError{Record: record, Reason: fmt.Sprintf("version %d is not read: load the model in PyTorch 1.4 or later and save it again", v)}
	case v > maxScriptVersion:
		return 0, &FileError{Record: record, Reason: fmt.Sprintf("version %d is newer than %d, the latest that is read", v, maxScriptVersion)}
	}
	return v, nil
}

func scriptPickle(a *container.Archive, record string, limits pickle.Limits) (pickle.Value, error) {
	data, err := a.Read(record, int64(limits.Bytes))
	if err != nil {
		return nil, err
	}
	v, n, err := pickle.Load(data, pickle.Options{Global: scriptGlobal, Call: standIn, BareArguments: true, Limits: limits})
	if err != nil {
		return nil, &FileError{Record: record, Reason: "rejected", Err: err}
	}
	if n != len(data) {
		return nil, &FileError{Record: record, Reason: fmt.Sprintf("%d bytes follow after the pickle", len(data)-n)}
	}
	return v, nil
}

// scriptGlobal decides which names the pickles of an archive may refer to.
func scriptGlobal(module, name string) error {
	switch {
	case module == "__torch__", strings.HasPrefix(module, "__torch__."), module == "torch.jit._pickle":
		return nil
	}
	if err := stateDictGlobal(module, name); err != nil {
		return errors.New("it is no class of the archive's code, and none that tensors are made of")
	}
	return nil
}

// Describe is the function Describe.
func (f *File) Describe() (*Description, error) {
	p, err := openTorchScript(f.f)
	if err != nil {
		return nil, f.name(err)
	}
	d, err := p.Describe(f.f.context())
	return d, f.name(err)
}
