// Command compare runs octet and other ways to run a model from Go by turns, and prints the rows of docs/compare.md: compare DIR, where
// DIR/bin has the programs, DIR the models and ONNXRUNTIME names the shared library of ONNX Runtime.
package main

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/octet-ml/octet/ci/compare/peer"
)

const (
	rounds = 5
	starts = 3
	turn   = 300 * time.Millisecond // what a program runs at most before the next one has its turn, but once in any case
)

// A task is a model in one precision that several programs run.
type task struct {
	title, input, model string
	peers               []string
}

var tasks = []task{
	{"ResNet-18, 224x224, float32", "picture", "resnet18", []string{"octet", "onnxruntime", "gomlx"}},
	{"ResNet-18, 224x224, int8", "picture", "resnet18.int8", []string{"octet", "onnxruntime", "gomlx"}},
	{"MiniLM, 128 tokens, float32", "ids", "minilm/model", []string{"octet", "onnxruntime", "gomlx"}},
	{"MiniLM, 128 tokens, int8", "ids", "minilm/model.int8", []string{"octet", "onnxruntime", "gomlx"}},
	{"MiniLM, from text to embedding, float32", "text", "minilm/embedding", []string{"octet", "hugot"}},
}

// A process is a program that has given its first answer.
type process struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	lines  *bufio.Scanner
	output []float64
	start  float64 // to the first answer, ms
	times  []float64
	ratios []float64 // of its median in a round to octet's
}

func start(dir, program, input, model string) (*process, error) {
	suffix := ".onnx"
	if program == "octet" {
		suffix = ".safetensors"
	}
	p := &process{cmd: exec.Command(filepath.Join(dir, "bin", program), input, filepath.Join(dir, model+suffix))}
	p.cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	stderr, err := os.CreateTemp("", "")
	peer.Check(err)
	defer os.Remove(stderr.Name())
	p.cmd.Stderr = stderr
	p.in = peer.Must(p.cmd.StdinPipe())
	p.lines = bufio.NewScanner(peer.Must(p.cmd.StdoutPipe()))
	begin := time.Now()
	peer.Check(p.cmd.Start())
	n, ok := p.number()
	p.start = time.Since(begin).Seconds() * 1000
	if !ok {
		p.cmd.Wait()
		why := peer.Must(os.ReadFile(stderr.Name()))
		return nil, fmt.Errorf("%.300s", strings.TrimSpace(string(why)))
	}
	for range int(n) {
		v, _ := p.number()
		p.output = append(p.output, v)
	}
	return p, nil
}

func (p *process) number() (float64, bool) {
	if !p.lines.Scan() {
		return 0, false
	}
	return peer.Must(strconv.ParseFloat(p.lines.Text(), 64)), true
}

// turn runs the model until its time is over and returns the median, in ms.
func (p *process) turn() float64 {
	var times []float64
	for begin := time.Now(); len(times) == 0 || time.Since(begin) < turn; {
		peer.Must(p.in.Write([]byte{'\n'}))
		ns, _ := p.number()
		times = append(times, ns/1e6)
	}
	p.times = append(p.times, times...)
	return median(times)
}

// end returns the peak of the memory, in MB.
func (p *process) end() float64 {
	p.in.Close()
	kB, _ := p.number()
	peer.Check(p.cmd.Wait())
	return kB / 1024
}

func median(x []float64) float64 {
	x = slices.Sorted(slices.Values(x))
	return x[len(x)/2]
}

func main() {
	dir := os.Args[1]
	fmt.Println("| program | bytes, stripped | shared library, bytes |\n|---|---|---|")
	for _, name := range []string{"octet", "onnxruntime", "gomlx", "hugot"} {
		library := "-"
		if name == "onnxruntime" {
			library = fmt.Sprint(peer.Must(os.Stat(os.Getenv("ONNXRUNTIME"))).Size())
		}
		fmt.Printf("| %s | %d | %s |\n", name, peer.Must(os.Stat(filepath.Join(dir, "bin", name))).Size(), library)
	}
	fmt.Println("\n| model | program | ms | times octet's | process start to first answer, ms | peak memory, MB | SQNR to octet, dB |\n|---|---|---|---|---|---|---|")
	for _, t := range tasks {
		t.compare(dir)
	}
}

// compare prints the rows of one task.
func (t task) compare(dir string) {
	running := make(map[string]*process)
	cold := make(map[string][]float64)
	for range starts {
		for _, name := range t.peers {
			p, err := start(dir, name, t.input, t.model)
			if err != nil {
				fmt.Printf("| %s | %s | does not run: %v |||||\n", t.title, name, err)
				t.peers = slices.DeleteFunc(slices.Clone(t.peers), func(s string) bool { return s == name })
				continue
			}
			cold[name] = append(cold[name], p.start)
			if len(cold[name]) < starts {
				p.end()
			} else {
				running[name] = p
			}
		}
	}
	for range rounds {
		own := 0.0
		for _, name := range t.peers {
			p := running[name]
			m := p.turn()
			if name == "octet" {
				own = m
			}
			p.ratios = append(p.ratios, m/own)
		}
	}
	want := running["octet"].output
	for _, name := range t.peers {
		p := running[name]
		fmt.Printf("| %s | %s | %.3g | %.2f | %.0f | %.0f | %s |\n", t.title, name, median(p.times), median(p.ratios), median(cold[name]), p.end(), sqnr(want, p.output))
	}
}

// sqnr is the ratio of the power of an output to that of its difference from another.
func sqnr(want, got []float64) string {
	if len(want) != len(got) {
		return fmt.Sprintf("%d numbers, not %d", len(got), len(want))
	}
	var power, noise float64
	for i, v := range want {
		power += v * v
		noise += (v - got[i]) * (v - got[i])
	}
	if noise == 0 {
		return "equal"
	}
	return fmt.Sprintf("%.0f", 10*math.Log10(power/noise))
}
