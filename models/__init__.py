"""Floor 3: what learns. Backbones, fronts, heads, presets, training."""
