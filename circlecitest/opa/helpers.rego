# The helper functions that CircleCI documents for config policies:
# https://circleci.com/docs/reference/config-policy-reference/
package circleci.config

import rego.v1

import data.circleci.utils

# orbs maps each orb of the configuration to its version.
orbs[name] := version if {
	some reference in object.get(input, "orbs", {})
	is_string(reference)
	[name, version] := split(reference, "@")
}

not_allowed(orb) := sprintf("%s orb is not allowed in CircleCI configuration", [orb])

# An orb whose name depends on a parameter cannot be checked, and is refused.
parameterized_orbs[orb] := reason if {
	some orb in object.get(input, "orbs", {})
	utils.is_parameterized_expression(orb)
	reason := sprintf("invalid orb: %s - parameterized orbs are disallowed", [orb])
}

ban_orbs(names) := object.union(parameterized_orbs, {name: not_allowed(name) |
	some name in names
	orbs[name]
})

ban_orbs_version(references) := object.union(parameterized_orbs, {reference: not_allowed(reference) |
	some reference in references
	[name, version] := split(reference, "@")
	orbs[name] == version
})

orbs_allowlist(allowed) := {reference: not_allowed(name) |
	some reference in object.get(input, "orbs", {})
	[name, _] := split(reference, "@")
	not allowed[name]
}

require_orbs(names) := {name: sprintf("%s orb is required in CircleCI configuration", [name]) |
	some name in names
	not orbs[name]
}

require_orbs_version(references) := {reference: sprintf("%s orb is required in CircleCI configuration", [reference]) |
	some reference in references
	[name, version] := split(reference, "@")
	not object.get(orbs, name, "") == version
}

# jobs lists the jobs of all workflows.
jobs contains name if {
	some workflow in workflows
	some entry in workflow.jobs
	name := utils.get_element_name(entry)
}

require_jobs(names) := {name: sprintf("%s job is required in CircleCI configuration", [name]) |
	some name in names
	not name in jobs
}

# workflows leaves out the key "version", which older configurations have.
workflows[name] := workflow if {
	some name, workflow in object.get(input, "workflows", {})
	is_object(workflow)
}

compiled_workflows[name] := workflow if {
	some name, workflow in object.get(input._compiled_, "workflows", {})
	is_object(workflow)
}

resource_class_by_project(reserved) := {reason |
	some job_name, job in input._compiled_.jobs
	projects := reserved[job.resource_class]
	not data.meta.project_id in projects
	reason := sprintf("project is not allowed to use resource_class %q declared in job %q", [job.resource_class, job_name])
}

# with_contexts finds the jobs that use contexts: [workflow, job, contexts, job's settings].
with_contexts(all) := [[workflow_name, job_name, utils.to_set(job.context), job] |
	some workflow_name, workflow in all
	some entry in workflow.jobs
	is_object(entry)
	some job_name, job in entry
	job.context
]

this_project(ids) if data.meta.project_id in utils.to_set(ids)

contexts_blocked_by_project_ids(project_ids, contexts) := {sprintf("%s.%s: uses context value(s) in blocklist for project: %s", [job[0], job[1], concat(", ", found)]) |
	this_project(project_ids)
	some job in with_contexts(compiled_workflows)
	found := job[2] & utils.to_set(contexts)
	count(found) > 0
}

contexts_allowed_by_project_ids(project_ids, contexts) := {sprintf("%s.%s: uses context value(s) not in allowlist for project: %s", [job[0], job[1], concat(", ", found)]) |
	this_project(project_ids)
	some job in with_contexts(compiled_workflows)
	found := job[2] - utils.to_set(contexts)
	count(found) > 0
}

contexts_reserved_by_project_ids(project_ids, contexts) := {sprintf("%s.%s: uses context value(s) reserved to other projects: %s", [job[0], job[1], concat(", ", found)]) |
	not this_project(project_ids)
	some job in with_contexts(compiled_workflows)
	found := job[2] & utils.to_set(contexts)
	count(found) > 0
}

contexts_reserved_by_branches(branches, contexts) := {reason |
	some job in with_contexts(workflows)
	found := job[2] & utils.to_set(contexts)
	count(found) > 0
	reason := branch_problem(job, found, utils.to_set(branches))
}

branch_problem(job, found, branches) := reason if {
	not job[3].filters.branches.only
	reason := sprintf(
		"%s.%s: uses context value(s): %s - that must be limited to branches: %s",
		[job[0], job[1], concat(", ", found), concat(", ", branches)],
	)
} else := reason if {
	foreign := utils.to_set(job[3].filters.branches.only) - branches
	count(foreign) > 0
	reason := sprintf(
		"%s.%s: uses context value(s): %s - that cannot be used with branches: %s",
		[job[0], job[1], concat(", ", found), concat(", ", foreign)],
	)
}
