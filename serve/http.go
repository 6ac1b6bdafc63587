package serve

import "sync/atomic"

type httpState struct {
	draining atomic.Bool
}
