package webhook

import (
	"container/list"
	"context"
	"sync"
)

// State is what is known of an event.
type State int

// The states of an event.
const (
	New  State = iota // not seen before, or failed
	Busy              // being handled
	Done              // handled
)

// Deduplicator remembers which events have been handled, by their IDs. It has
// to be safe for concurrent use.
type Deduplicator interface {
	// Begin returns the state of an event, and makes a new one busy.
	Begin(ctx context.Context, id string) (State, error)
	// End makes a busy event done, or, if it has failed, new again.
	End(ctx context.Context, id string, ok bool) error
}

// Memory is a [Deduplicator] in this process. It forgets what was handled
// longest ago.
type Memory struct {
	mu    sync.Mutex
	most  int
	state map[string]State
	done  *list.List // of IDs, the oldest first
}

// NewMemory remembers the last most events; 10,000 if most is 0.
func NewMemory(most int) *Memory {
	if most <= 0 {
		most = 10_000
	}
	return &Memory{most: most, state: map[string]State{}, done: list.New()}
}

// Begin returns the state of an event, and makes a new one busy.
func (m *Memory) Begin(_ context.Context, id string) (State, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	state := m.state[id]
	if state == New {
		m.state[id] = Busy
	}
	return state, nil
}

// End makes a busy event done, or new again.
func (m *Memory) End(_ context.Context, id string, ok bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !ok {
		delete(m.state, id)
		return nil
	}
	m.state[id] = Done
	m.done.PushBack(id)
	for m.done.Len() > m.most {
		delete(m.state, m.done.Remove(m.done.Front()).(string))
	}
	return nil
}
