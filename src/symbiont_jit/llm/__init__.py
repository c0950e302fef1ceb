"""The repair loop: prompt, reply, candidate; what is wrong goes back to the model until an answer is right."""
