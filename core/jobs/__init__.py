"""Training as processes: who trains next, on which device, and how one is started, stopped and watched."""
