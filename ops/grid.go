package ops

import (
	"math"
	"slices"
)

// Grid divides an M x N output of a matrix multiplication into independent
// tasks. Tasks are numbered with rows fastest, so that one after the other they
// use the same packed columns.
type Grid struct {
	M, N        int
	RowStep     int // rows of a task at most, a multiple of the tile's
	ColStep     int // columns of a task at most, a multiple of the tile's
	Rows, Tasks int // tasks in the direction of the rows, and in all

	mr, nr        int // the tile
	tiles, panels int // of rows and of columns
}

// smallWork is the number of multiply-accumulates below which a second worker
// costs more than it gives.
const smallWork = 1 << 18

const (
	// taskWork is the number of multiply-accumulates below which a task is not divided for the sake of even shares alone.
	taskWork = 1 << 18
	// taskCost is about as many as a worker could do while it takes a task and starts it.
	taskCost = 1 << 16
)

// NewGrid chooses the division for an M x N output with depth K and tiles of
// mr x nr. Of the columns a task takes at most cols, a multiple of nr.
func NewGrid(m, n, k, mr, nr, cols, threads int) Grid {
	g := Grid{M: m, N: n, mr: mr, nr: nr, tiles: max(ceilDiv(m, mr), 1), panels: max(ceilDiv(n, nr), 1)}
	if m <= mr {
		cols = n // the packed columns are read once, whatever their number
	}
	rowTasks, colTasks := 1, min(max(ceilDiv(n, max(cols, 1)), 1), g.panels)
	if threads > 1 && m*n*k > smallWork {
		want := min(4*threads, max(m*n*k/taskWork, 2*threads))
		rowTasks = tasksOf(ceilDiv(want, colTasks), g.tiles, colTasks, threads, mr*n*k/colTasks)
		// Few rows: divide the columns instead.
		if rowTasks*colTasks < want {
			colTasks = tasksOf(ceilDiv(want, rowTasks), g.panels, rowTasks, threads, nr*m*k/rowTasks)
		}
	}
	g.RowStep, g.ColStep = ceilDiv(g.tiles, rowTasks)*mr, ceilDiv(g.panels, colTasks)*nr
	g.Rows, g.Tasks = rowTasks, rowTasks*colTasks
	return g
}

// tasksOf returns how many tasks to make of count rows or columns of tiles, each of which takes so much work: want or a few more, with
// which the threads are done first, with so many others in the other direction.
func tasksOf(want, count, others, threads, work int) int {
	const more = 8
	want = min(want, count)
	best, least := want, math.MaxInt
	for n := want; n <= min(want+more, count); n++ {
		if cost := longestShare(count, n, others, threads)*work + n*others*taskCost/threads; cost < least {
			best, least = n, cost
		}
	}
	return best
}

// longestShare returns the most tiles that a thread computes of others times count, in n tasks each, where a thread takes the next
// task when it has done one.
func longestShare(count, n, others, threads int) int {
	busy := make([]int, threads)
	for i := range n * others {
		next := 0
		for t, b := range busy {
			if b < busy[next] {
				next = t
			}
		}
		busy[next] += (i%n+1)*count/n - i%n*count/n
	}
	return slices.Max(busy)
}

// Task returns the rows and columns [m0, m1) x [n0, n1) of task i. All tasks have the same number of tiles, or one more.
func (g *Grid) Task(i int) (m0, m1, n0, n1 int) {
	r, c, cols := i%g.Rows, i/g.Rows, g.Tasks/g.Rows
	m0, m1 = r*g.tiles/g.Rows*g.mr, (r+1)*g.tiles/g.Rows*g.mr
	n0, n1 = c*g.panels/cols*g.nr, (c+1)*g.panels/cols*g.nr
	return m0, min(m1, g.M), n0, min(n1, g.N)
}

// ceilDiv returns n / by, rounded up.
func ceilDiv(n, by int) int { return (n + by - 1) / by }
