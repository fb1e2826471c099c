package webhook

import (
	"context"
	"crypto/sha256"
	"sync"
)

// State is the state of an event in a [Deduplicator].
type State int

// The states of an event.
const (
	New  State = iota // not seen before, or failed
	Busy              // being handled
	Done              // handled
)

// Deduplicator remembers which events have been handled. It identifies an event
// by its ID, or by a hash of an ID longer than 128 bytes. It must be safe for
// concurrent use. Module redislimit has a deduplicator that several processes
// share.
type Deduplicator interface {
	// Begin returns the state of an event, and marks a new one as busy.
	Begin(ctx context.Context, id string) (State, error)
	// End marks a busy event as done, or as new again if it failed.
	End(ctx context.Context, id string, ok bool) error
}

// Memory is a [Deduplicator] for one process. When it is full, it forgets the
// events that were handled longest ago.
type Memory struct {
	mu    sync.Mutex
	size  int
	state map[digest]State
	done  []digest // of handled events: a ring, once it is full
	next  int      // the oldest in the ring
}

// digest is the hash of an ID. It contains no pointers, so the garbage
// collector does not scan thousands of them.
type digest [sha256.Size]byte

// NewMemory returns a Memory of the last size handled events. If size is zero
// or less, it is 10,000.
func NewMemory(size int) *Memory {
	if size <= 0 {
		size = 10_000
	}
	return &Memory{size: size, state: map[digest]State{}}
}

// Begin returns the state of an event, and marks a new one as busy.
func (m *Memory) Begin(_ context.Context, id string) (State, error) {
	key := digest(sha256.Sum256([]byte(id)))
	m.mu.Lock()
	defer m.mu.Unlock()
	state := m.state[key]
	if state == New {
		m.state[key] = Busy
	}
	return state, nil
}

// End marks a busy event as done, or as new again if it failed.
func (m *Memory) End(_ context.Context, id string, ok bool) error {
	key := digest(sha256.Sum256([]byte(id)))
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case !ok:
		delete(m.state, key)
		return nil
	case m.state[key] == Done: // twice: it is in the ring
		return nil
	case len(m.done) < m.size:
		m.done = append(m.done, key)
	default:
		delete(m.state, m.done[m.next])
		m.done[m.next] = key
		m.next = (m.next + 1) % m.size
	}
	m.state[key] = Done
	return nil
}
