"""The repair loop: prompt, reply, candidate; what fails goes back to the model until it is right."""
