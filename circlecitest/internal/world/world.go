// Package world keeps what there is: users, organizations, projects, what runs in them, and
// the time. It makes nothing happen by itself: see package engine.
package world

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
)

// Latest is the later of two times.
func Latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// LastOf are the last n of all; 0: all.
func LastOf[T any](all []T, n int) []T {
	if n > 0 && len(all) > n {
		return slices.Delete(all, 0, len(all)-n)
	}
	return all
}

// World is all that there is, and its time. Who uses it locks it.
type World struct {
	sync.Mutex
	Clock  Clock
	Past   bool // what happens now has happened long ago: see relive
	Seed   uint64
	ids    *rand.Rand
	Chance *rand.Rand // of what jobs do
	Token  string     // that is taken
	first  beginning

	Me       *User
	system   *User // in whose name schedules run if it is nobody's
	Users    map[uuid.UUID]*User
	Orgs     []*Org
	Projects []*Project
	Contexts []*Context
	Runs     runs

	Webhooks  []*Webhook
	Schedules []*Schedule
	Deploys   deploys
	Exporters []*OtelExporter
	Exports   []*UsageExport
	Policies  PolicyEngine // nil: none
}

// New returns a world in which nothing is yet, and time passes.
func New(token string) *World {
	w := &World{Token: token, Seed: 1, Clock: newClock(), Users: map[uuid.UUID]*User{}}
	w.Runs.init()
	return w
}

// Populate brings in the owner of the token. Before it the seed is set.
func (s *World) Populate() {
	s.first = beginning{s.Token, s.Clock.Speed, s.Clock.Base}
	s.populate()
}

func (s *World) populate() {
	s.ids, s.Chance = s.NewRand(streamIDs), s.NewRand(streamChance)
	s.Me = s.AddUser("ada", "Ada Lovelace")
}

// beginning is what a reset restores.
type beginning struct {
	token string
	speed float64
	base  time.Time
}

// FirstToken returns the token that the world began with.
func (s *World) FirstToken() string { return s.first.token }

// Reset forgets everything, and begins again: the token, the time and its speed
// are as they were at first, and IDs repeat.
func (s *World) Reset() {
	s.Clock.Stop()
	s.Clock = newClock()
	s.Clock.Speed, s.Clock.Base = s.first.speed, s.first.base
	s.Token, s.system = s.first.token, nil
	s.Users, s.Orgs, s.Projects, s.Contexts = map[uuid.UUID]*User{}, nil, nil, nil
	s.Webhooks, s.Schedules, s.Exporters, s.Exports, s.Deploys = nil, nil, nil, nil, deploys{}
	s.Runs = runs{Keep: s.Runs.Keep}
	s.Runs.init()
	s.populate()
}

// The streams of random numbers, each of its own: that there are more of one
// kind changes nothing about the others.
const (
	streamIDs uint64 = iota
	streamChance
	StreamWeather // and those that follow
)

// NewRand returns the random numbers of a stream.
func (s *World) NewRand(stream uint64) *rand.Rand { return rand.New(rand.NewPCG(s.Seed, stream)) }

// NewID returns a random UUID.
func (s *World) NewID() uuid.UUID {
	var id uuid.UUID
	binary.LittleEndian.PutUint64(id[:8], s.ids.Uint64())
	binary.LittleEndian.PutUint64(id[8:], s.ids.Uint64())
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	return id
}

// HexID is an ID without its dashes.
func HexID(id uuid.UUID) string {
	text := id.String()
	return text[:8] + text[9:13] + text[14:18] + text[19:23] + text[24:]
}
