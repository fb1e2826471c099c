package deliver

import (
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest/internal/form"
	"github.com/circleci-go/circleci/circlecitest/internal/world"
)

// AnnounceJob delivers the event of a job that has ended. Approvals and jobs
// that never ran have no events.
func (c *Courier) AnnounceJob(j *world.Job) {
	if j.Number == 0 || !c.tells() {
		return
	}
	c.callWebhooks(j.Workflow.Pipeline, circleci.WebhookEventJobCompleted, j.ID, form.Object{
		"workflow": workflowPayload(j.Workflow),
		"job": form.Object{
			"id": j.ID, "name": j.Script.Name, "number": j.Number, "status": j.Status,
			"started_at": form.Time(j.Started), "stopped_at": form.Time(j.Stopped),
		},
	})
}

// AnnounceWorkflow delivers the event of a workflow that has ended.
func (c *Courier) AnnounceWorkflow(w *world.Workflow) {
	if !c.tells() {
		return
	}
	payload := workflowPayload(w)
	payload["status"] = w.Status
	c.callWebhooks(w.Pipeline, circleci.WebhookEventWorkflowCompleted, w.ID, form.Object{"workflow": payload})
}

// Ping delivers a test event to a webhook as CircleCI does, without a project
// and a pipeline.
func (c *Courier) Ping(h *world.Webhook) {
	id := c.NewID()
	c.deliver(h, Delivery{WebhookID: h.ID, ID: id, Event: "ping"}, form.Object{
		"id": id, "type": "ping", "happened_at": form.Micros(c.Now()), "webhook": form.Object{"id": h.ID, "name": h.Name},
	})
}

// tells reports whether there are webhooks to deliver to. Past runs deliver
// none.
func (c *Courier) tells() bool { return !c.Past && len(c.Webhooks) > 0 }

// workflowPayload returns the workflow as webhooks describe it.
func workflowPayload(w *world.Workflow) form.Object {
	p := w.Pipeline
	view := form.Object{
		"id": w.ID, "name": w.Name, "created_at": form.Time(w.Created),
		"url": "https://app.circleci.com/pipelines/" + world.LongSlug(p.Project.Slug) + "/" + strconv.FormatInt(p.Number, 10) + "/workflows/" + w.ID.String(),
	}
	return view.Put("stopped_at", w.Stopped)
}

// pipelinePayload returns the pipeline as webhooks describe it.
func pipelinePayload(p *world.Pipeline) form.Object {
	view := form.Object{
		"id": p.ID, "number": p.Number, "created_at": form.Time(p.Created), "trigger": form.Object{"type": p.Trigger},
	}
	vcs, parameters := p.Origin()
	if vcs == nil {
		view["trigger_parameters"] = parameters
		return view
	}
	person := form.Object{"name": p.Actor.Name, "email": p.Actor.Login + "@example.com"}
	at := p.Created.Add(-time.Minute).UTC().Format(time.RFC3339)
	vcs["provider_name"] = p.Project.Org.VCSType
	vcs["commit"] = form.Object{
		"subject": "A change", "body": "", "author": person, "authored_at": at, "committer": person, "committed_at": at,
	}
	view["vcs"] = vcs
	return view
}

// callWebhooks delivers an event to the webhooks that are registered for it.
func (c *Courier) callWebhooks(p *world.Pipeline, event circleci.WebhookEvent, subject uuid.UUID, details form.Object) {
	for _, h := range c.WebhooksOf(p.Project.ID) {
		if !slices.Contains(h.Events, event) {
			continue
		}
		// The same for each attempt and each repeated event.
		id := uuid.NewMD5(h.ID, []byte(string(event)+" "+subject.String()))
		payload := form.Object{
			"id": id, "type": event, "happened_at": c.Now().UTC().Format("2006-01-02T15:04:05.000000Z"),
			"webhook":      form.Object{"id": h.ID, "name": h.Name},
			"project":      form.Object{"id": p.Project.ID, "name": p.Project.Name, "slug": world.LongSlug(p.Project.Slug)},
			"organization": form.Object{"id": p.Project.Org.ID, "name": p.Project.Org.Name},
			"pipeline":     pipelinePayload(p),
		}
		for name, value := range details {
			payload[name] = value
		}
		c.deliver(h, Delivery{WebhookID: h.ID, ID: id, Event: event}, payload)
	}
}
