package circleci

import (
	"cmp"
	"strings"
)

// Branch returns the branch that the pipeline was started for, from VCS or
// TriggerParameters, whichever is set. It is empty for a tag, and if neither
// names a branch.
func (p *Pipeline) Branch() string {
	return cmp.Or(p.vcs().Branch, p.parameter("branch"))
}

// Tag returns the tag that the pipeline was started for, from VCS or
// TriggerParameters, whichever is set. It is empty for a branch, and if neither
// names a tag.
func (p *Pipeline) Tag() string {
	return cmp.Or(p.vcs().Tag, p.parameter("tag"))
}

// Revision returns the hash of the commit that the pipeline was started for,
// from VCS or TriggerParameters, whichever is set. It is empty if neither
// contains one.
func (p *Pipeline) Revision() string {
	return cmp.Or(p.vcs().Revision, p.parameter("checkout_sha", "commit_sha"))
}

// Commit returns the message of the commit that the pipeline was started for,
// from VCS or TriggerParameters, whichever is set. Its fields are empty if
// neither contains one.
func (p *Pipeline) Commit() PipelineCommit {
	if c := p.vcs().Commit; c != nil {
		return *c
	}
	message := p.parameter("commit_message") // including the first line
	subject, body, _ := strings.Cut(message, "\n")
	return PipelineCommit{Subject: cmp.Or(p.parameter("commit_title"), subject), Body: strings.TrimSpace(body)}
}

func (p *Pipeline) vcs() PipelineVCS {
	if p.VCS == nil {
		return PipelineVCS{}
	}
	return *p.VCS
}

// parameter returns the first non-empty string with one of these names in
// TriggerParameters. CircleCI describes the commit in the section "git", and
// provider-specific details in a section of the provider.
func (p *Pipeline) parameter(names ...string) string {
	for _, part := range []string{"git", "github_app", "gitlab"} {
		properties, _ := p.TriggerParameters[part].(map[string]any)
		for _, name := range names {
			if text, _ := properties[name].(string); text != "" {
				return text
			}
		}
	}
	return ""
}
