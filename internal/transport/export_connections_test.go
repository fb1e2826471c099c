package transport

// Servers returns how many servers are remembered.
func (c *Connections) Servers() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.servers)
}
