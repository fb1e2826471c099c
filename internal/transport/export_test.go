package transport

// Paused returns how many paths the pacer remembers as paused.
func (p *Pacer) Paused() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, l := range p.lanes {
		n += len(l.pauses)
	}
	return n
}

// Lanes returns how many routes the pacer remembers.
func (p *Pacer) Lanes() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.lanes)
}
