package api

import (
	"strings"

	"github.com/circleci-go/circleci/circlecitest/internal/engine"
	"github.com/circleci-go/circleci/circlecitest/internal/exchange"
	"github.com/circleci-go/circleci/circlecitest/internal/form"
	"github.com/circleci-go/circleci/internal/spec"
)

const openAPIKey = "GET /openapi.json"

// openAPIHandlers return a minimal document, with which clients detect the API
// v2.
var openAPIHandlers = map[string]exchange.Handler{
	openAPIKey: func(*engine.Engine, *exchange.Request) *exchange.Answer {
		paths := form.Object{}
		for _, op := range spec.Operations {
			methods, _ := paths[op.Path].(form.Object)
			if methods == nil {
				methods = form.Object{}
				paths[op.Path] = methods
			}
			methods[strings.ToLower(op.Method)] = form.Object{
				"operationId": op.ID, "responses": form.Object{"default": form.Object{"description": "see CircleCI's documentation"}},
			}
		}
		return exchange.OK(form.Object{
			"openapi": "3.0.3", "info": form.Object{"title": "CircleCI API", "version": "v2"},
			"servers": []any{form.Object{"url": "/api/v2"}}, "paths": paths,
		})
	},
}
