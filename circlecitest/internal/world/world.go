// Package world holds the state of the server: users, organizations, projects,
// what runs in them, and the clock. Package engine makes things happen in it.
package world

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
)

// Latest returns the later of two times.
func Latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// LastOf returns the last n elements; 0 means all.
func LastOf[T any](all []T, n int) []T {
	if n > 0 && len(all) > n {
		return slices.Delete(all, 0, len(all)-n)
	}
	return all
}

// World is the state of a server with its clock. Its users lock it.
type World struct {
	sync.Mutex
	Clock  Clock
	Past   bool // past runs are being created: see relive
	Seed   uint64
	ids    *rand.Rand
	Chance *rand.Rand // decides what jobs do
	Token  string     // the accepted token
	first  beginning

	Me       *User
	system   *User // the actor of schedules without a user
	Users    map[uuid.UUID]*User
	Orgs     []*Org
	Projects []*Project
	Contexts []*Context
	Runs     runs

	Webhooks     []*Webhook
	Schedules    []*Schedule
	Deploys      deploys
	Exporters    []*OtelExporter
	Signing      signing
	AuditConfigs []*AuditConfig
	Exports      []*UsageExport
	Policies     PolicyEngine // nil: none
}

// New returns an empty world with a running clock.
func New(token string) *World {
	w := &World{Token: token, Seed: 1, Clock: newClock(), Users: map[uuid.UUID]*User{}}
	w.Runs.init()
	return w
}

// Populate adds the owner of the token. The seed must be set before.
func (s *World) Populate() {
	s.first = beginning{s.Token, s.Clock.Speed, s.Clock.Base}
	s.populate()
}

func (s *World) populate() {
	s.ids, s.Chance = s.NewRand(streamIDs), s.NewRand(streamChance)
	s.Me = s.AddUser("ada", "Ada Lovelace")
}

// beginning is the initial state that Reset restores.
type beginning struct {
	token string
	speed float64
	base  time.Time
}

// FirstToken returns the token that the world started with.
func (s *World) FirstToken() string { return s.first.token }

// Reset returns to the initial state: the token, the time and its speed are
// restored, and IDs repeat.
func (s *World) Reset() {
	s.Clock.Stop()
	s.Clock = newClock()
	s.Clock.Speed, s.Clock.Base = s.first.speed, s.first.base
	s.Token, s.system = s.first.token, nil
	s.Users, s.Orgs, s.Projects, s.Contexts = map[uuid.UUID]*User{}, nil, nil, nil
	s.Webhooks, s.Schedules, s.Exporters, s.Exports, s.Deploys = nil, nil, nil, nil, deploys{}
	s.Signing, s.AuditConfigs = signing{}, nil
	s.Runs = runs{Keep: s.Runs.Keep}
	s.Runs.init()
	s.populate()
}

// The independent streams of random numbers: more draws from one do not affect the
// others.
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

// HexID returns an ID without dashes.
func HexID(id uuid.UUID) string {
	text := id.String()
	return text[:8] + text[9:13] + text[14:18] + text[19:23] + text[24:]
}
