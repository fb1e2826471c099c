package engine

import (
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest/internal/world"
)

// WindSchedule schedules the next run.
func (s *Engine) WindSchedule(x *world.Schedule) {
	x.Winding++
	winding := x.Winding
	at, found := x.Timetable.Next(s.Now())
	if !found {
		return
	}
	s.At(at, func() {
		if winding != x.Winding || !slices.Contains(s.Schedules, x) || !slices.Contains(s.Projects, x.Project) {
			return // changed or deleted meanwhile
		}
		s.startScheduled(x)
		s.WindSchedule(x)
	})
}

func (s *Engine) startScheduled(x *world.Schedule) {
	p := &world.Pipeline{Project: x.Project, Trigger: circleci.TriggerTypeScheduledPipeline, Schedule: x, Parameters: map[string]any{}}
	for name, value := range x.Parameters {
		switch name {
		case "branch":
			p.Branch, _ = value.(string)
		case "tag":
			p.Tag, _ = value.(string)
		default:
			p.Parameters[name] = value
		}
	}
	s.Start(p).Actor = x.Actor
}

// Fire starts the pipeline of a trigger.
func (s *Engine) Fire(p *world.Project, t *world.Trigger) uuid.UUID {
	if t.Disabled != nil && *t.Disabled {
		return uuid.Nil
	}
	x := &world.Pipeline{Project: p, Trigger: circleci.TriggerTypeWebhook, Parameters: t.Parameters}
	if tag, isTag := strings.CutPrefix(t.CheckoutRef, "refs/tags/"); isTag {
		x.Tag = tag
	} else {
		x.Branch = strings.TrimPrefix(t.CheckoutRef, "refs/heads/")
	}
	if t.Actor != nil {
		x.Trigger = circleci.TriggerTypeScheduledPipeline
	}
	s.Start(x)
	if t.Actor != nil {
		x.Actor = t.Actor
	}
	return x.ID
}

// WindTrigger schedules the next run of a trigger with a schedule.
func (s *Engine) WindTrigger(p *world.Project, d *world.Definition, t *world.Trigger) {
	t.Winding++
	if t.Cron == "" {
		return
	}
	winding := t.Winding
	schedule, _ := world.ParseCron(t.Cron) // it has been checked
	at, found := schedule.Next(s.Now())
	if !found {
		return
	}
	s.At(at, func() {
		if winding != t.Winding || !slices.Contains(d.Triggers, t) || !slices.Contains(p.Definitions, d) || !slices.Contains(s.Projects, p) {
			return // changed or deleted meanwhile
		}
		s.Fire(p, t)
		s.WindTrigger(p, d, t)
	})
}
