package ops

import (
	"math/rand/v2"
	"testing"
)

// TestGrid checks that tasks cover each output once, in whole tiles and within the steps.
func TestGrid(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		m, n, k := rng.IntN(70), rng.IntN(200), 1<<rng.IntN(14)
		mr, nr, threads := 1+rng.IntN(8), 8*(1+rng.IntN(2)), 1+rng.IntN(9)
		cols := nr * (1 + rng.IntN(12))
		g := NewGrid(m, n, k, mr, nr, cols, threads)
		seen := make([]int, m*n)
		for i := range g.Tasks {
			m0, m1, n0, n1 := g.Task(i)
			if m0%mr != 0 || n0%nr != 0 || m1-m0 > g.RowStep || n1-n0 > g.ColStep || m > mr && n1-n0 > cols {
				t.Fatalf("%dx%dx%d in tiles of %dx%d, %d columns and %d threads: task %d has [%d, %d) x [%d, %d), steps %d and %d",
					m, n, k, mr, nr, cols, threads, i, m0, m1, n0, n1, g.RowStep, g.ColStep)
			}
			for r := m0; r < m1; r++ {
				for c := n0; c < n1; c++ {
					seen[r*n+c]++
				}
			}
		}
		for i, times := range seen {
			if times != 1 {
				t.Fatalf("%dx%dx%d in tiles of %dx%d, %d threads: output %d is computed %d times", m, n, k, mr, nr, threads, i, times)
			}
		}
	}
}

// resNet50 are the matrix multiplications of ResNet-50 at 224x224: rows, columns, depth and how many there are.
var resNet50 = [][4]int{
	{12544, 64, 168, 1},
	{3136, 64, 64, 1}, {3136, 256, 64, 4}, {3136, 64, 256, 2}, {3136, 64, 576, 3}, {3136, 128, 256, 1},
	{784, 128, 1152, 4}, {784, 512, 128, 4}, {784, 512, 256, 1}, {784, 128, 512, 3}, {784, 256, 512, 1},
	{196, 256, 2304, 6}, {196, 1024, 256, 6}, {196, 1024, 512, 1}, {196, 256, 1024, 5}, {196, 512, 1024, 1},
	{49, 512, 4608, 3}, {49, 2048, 512, 3}, {49, 2048, 1024, 1}, {49, 512, 2048, 2},
}

// TestGridIsEven checks that the threads get shares of a whole model that are even: the longest of each layer is at most 4 % above
// their mean, in tiles times depth, where each takes the next task as soon as it is free.
func TestGridIsEven(t *testing.T) {
	const mr, nr, block = 6, 16, 256 << 10
	for _, size := range []int{1, 4} {
		for _, threads := range []int{2, 4} {
			all, longest := 0, 0
			for _, l := range resNet50 {
				g := NewGrid(l[0], l[1], l[2], mr, nr, max(block/(size*l[2]*nr), 1)*nr, threads)
				busy := make([]int, threads)
				for i := range g.Tasks {
					m0, m1, n0, n1 := g.Task(i)
					next := 0
					for w := range busy {
						if busy[w] < busy[next] {
							next = w
						}
					}
					work := ceilDiv(m1-m0, mr) * ceilDiv(n1-n0, nr) * l[2]
					busy[next] += work
					all += work * l[3]
				}
				most := 0
				for _, b := range busy {
					most = max(most, b)
				}
				longest += most * l[3]
			}
			if speedup := float64(all) / float64(longest); speedup < 0.96*float64(threads) {
				t.Errorf("%d threads, weights of %d bytes: at most %.2f times as fast as one", threads, size, speedup)
			} else {
				t.Logf("%d threads, weights of %d bytes: at most %.3f times as fast as one", threads, size, speedup)
			}
		}
	}
}
