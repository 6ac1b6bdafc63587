package ops

// Grid divides an M x N output of a matrix multiplication into independent
// tasks. Tasks are numbered with rows fastest, so that one after the other they
// use the same packed columns.
type Grid struct {
	M, N        int
	RowStep     int // rows of a task, a multiple of the tile's
	ColStep     int // columns of a task, a multiple of the tile's
	Rows, Tasks int // tasks in the direction of the rows, and in all
}

// smallWork is the number of multiply-accumulates below which a second worker
// costs more than it gives.
const smallWork = 1 << 18

// NewGrid chooses the division for an M x N output with depth K and tiles of
// mr x nr. Of the columns a task takes at most cols, a multiple of nr.
func NewGrid(m, n, k, mr, nr, cols, threads int) Grid {
	g := Grid{M: m, N: n}
	if m <= mr {
		cols = n // the packed columns are read once, whatever their number
	}
	// Blocks of about the same size, since the next one is brought near during each.
	blocks := max((n+cols-1)/max(cols, 1), 1)
	g.ColStep = roundUp((n+blocks-1)/blocks, nr)
	g.RowStep = (m + mr - 1) / mr * mr
	if threads > 1 && m*n*k > smallWork {
		want := 4 * threads
		colTasks := (n + g.ColStep - 1) / g.ColStep
		tiles := (m + mr - 1) / mr
		rowTasks := min(max((want+colTasks-1)/colTasks, 1), tiles)
		g.RowStep = (tiles + rowTasks - 1) / rowTasks * mr
		// Few rows: divide the columns instead.
		if have := rowTasks * colTasks; have < want && n > nr {
			colTasks = min((want+rowTasks-1)/rowTasks, (n+nr-1)/nr)
			g.ColStep = ((n+nr-1)/nr + colTasks - 1) / colTasks * nr
		}
	}
	g.Rows = max((m+g.RowStep-1)/g.RowStep, 1)
	g.Tasks = g.Rows * max((n+g.ColStep-1)/g.ColStep, 1)
	return g
}

// Task returns the rows and columns [m0, m1) x [n0, n1) of task i.
func (g *Grid) Task(i int) (m0, m1, n0, n1 int) {
	r, c := i%g.Rows, i/g.Rows
	m0, n0 = r*g.RowStep, c*g.ColStep
	return m0, min(m0+g.RowStep, g.M), n0, min(n0+g.ColStep, g.N)
}
