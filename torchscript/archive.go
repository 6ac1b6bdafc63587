package torchscript

import (
	"archive/zip"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"strings"

	"github.com/octet-ml/octet/tensor"
)

// alignment is that of the bytes of records, from the start of the file.
const alignment = 64

// archiver writes the records of an archive, stored and aligned.
type archiver struct {
	zip *zip.Writer
	out counter
}

// counter counts what goes through it.
type counter struct {
	to      io.Writer
	written int64
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.to.Write(b)
	c.written += int64(n)
	return n, err
}

// record adds a record. Its header has an extra field that pads it to the alignment, as PyTorch's writer does.
func (a *archiver) record(name string, data []byte) error {
	if uint64(len(data)) >= math.MaxUint32 {
		return fmt.Errorf("torchscript: record %s of %d bytes, at most %d are written", name, len(data), uint32(math.MaxUint32-1))
	}
	name = "model/" + name
	if err := a.zip.Flush(); err != nil {
		return err
	}
	const header, field = 30, 4
	pad := alignment - (int(a.out.written%alignment)+header+len(name)+field)%alignment
	extra := append([]byte{'F', 'B', byte(pad), 0}, strings.Repeat("Z", pad)...)
	w, err := a.zip.CreateRaw(&zip.FileHeader{
		Name: name, Extra: extra, CRC32: crc32.ChecksumIEEE(data), CompressedSize64: uint64(len(data)), UncompressedSize64: uint64(len(data)),
	})
	if err != nil {
		return err
	}
	_, err = w.Write(data)
	return err
}

// archive writes the whole archive: the module, its source, no constants, the version of the operators, and the storages.
func (e *exporter) archive(to io.Writer) error {
	a := &archiver{out: counter{to: to}}
	a.zip = zip.NewWriter(&a.out)
	var p pickler
	e.pickle(&p)
	texts := []struct{ name, text string }{
		{"data.pkl", string(p.bytes)},
		{"code/__torch__.py", e.source()},
		{"constants.pkl", "\x80\x02)."},
		{"version", version},
	}
	if e.calls {
		texts = append(texts, struct{ name, text string }{"code/__torch__/" + functionsName + ".py", functions})
	}
	for _, r := range texts {
		if err := a.record(r.name, []byte(r.text)); err != nil {
			return err
		}
	}
	for i, r := range p.records {
		data := r.bytes
		if r.tensor != nil {
			if err := r.tensor.Load(); err != nil {
				return err
			}
			data = r.tensor.Contiguous().Bytes()
		}
		if err := a.record("data/"+number(i), data); err != nil {
			return err
		}
	}
	return a.zip.Close()
}

// pickle writes the module with its attributes.
func (e *exporter) pickle(p *pickler) {
	p.text("\x80\x02")
	p.global("__torch__", moduleName)
	p.text(")\x81}(")
	p.string("training")
	p.text("\x89")
	p.string("_is_full_backward_hook")
	p.text("N")
	for _, a := range e.attributes {
		p.string(a.name)
		if a.packed != nil {
			p.packed(a.packed)
		} else {
			p.tensor(a.tensor)
		}
	}
	p.text("ub.")
}

// source is the code of the module.
func (e *exporter) source() string {
	var b strings.Builder
	var buffers, types strings.Builder
	for _, a := range e.attributes {
		kind := "Tensor"
		if a.packed != nil {
			kind = "__torch__.torch.classes.quantized." + a.packed.class
		} else {
			fmt.Fprintf(&buffers, "%q, ", a.name)
		}
		fmt.Fprintf(&types, "  %s : %s\n", a.name, kind)
	}
	fmt.Fprintf(&b, "class %s(Module):\n  __parameters__ = []\n  __buffers__ = [%s]\n", moduleName, buffers.String())
	b.WriteString("  training : bool\n  _is_full_backward_hook : Optional[bool]\n")
	b.WriteString(types.String())
	fmt.Fprintf(&b, "  def forward(self: __torch__.%s", moduleName)
	for _, name := range e.inputs {
		fmt.Fprintf(&b, ",\n    %s: Tensor", name)
	}
	result, kind := e.outputs[0], "Tensor"
	if len(e.outputs) > 1 {
		result = "(" + strings.Join(e.outputs, ", ") + ")"
		kind = "Tuple[" + strings.Repeat("Tensor, ", len(e.outputs)-1) + "Tensor]"
	}
	fmt.Fprintf(&b, ") -> %s:\n%s    return %s\n", kind, e.body.String(), result)
	return b.String()
}

// attribute is a tensor or the packed parameters of a layer, which the module holds.
type attribute struct {
	name   string
	tensor *tensor.Tensor
	packed *packed
}

// packed is what a quantized layer of PyTorch holds.
type packed struct {
	class        string // LinearPackedParamsBase and the like
	config       []int  // of a convolution: dimensions, stride, padding, dilation, output padding, groups, whether it is transposed
	weight, bias *tensor.Tensor
}
