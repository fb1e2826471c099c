package api

import (
	"maps"

	"github.com/circleci-go/circleci/circlecitest/internal/exchange"
	"github.com/circleci-go/circleci/circlecitest/internal/insights"
	"github.com/circleci-go/circleci/circlecitest/internal/policy"
)

// handlers are the handlers of all resources.
var handlers = merged(
	userHandlers, projectHandlers, contextHandlers, pipelineHandlers, workflowHandlers, jobHandlers, stepHandlers,
	webhookHandlers, scheduleHandlers, deployHandlers, otelHandlers, usageHandlers, insights.Handlers,
	organizationHandlers, groupHandlers, pipelineDefinitionHandlers, triggerHandlers, policy.Handlers, oidcHandlers,
	undocumentedPipelineHandlers, openAPIHandlers, signingHandlers, auditLogHandlers, githubAppHandlers,
	runHandlersV3, jobHandlersV3, projectHandlersV3, contextHandlersV3, setupHandlersV3, deployHandlersV3,
)

func merged(all ...map[string]exchange.Handler) map[string]exchange.Handler {
	out := map[string]exchange.Handler{}
	for _, m := range all {
		maps.Copy(out, m)
	}
	return out
}
