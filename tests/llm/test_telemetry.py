"""Spans and metrics of the repair loop."""

from symbiont_jit import Reply, Usage
from symbiont_jit.testing import ScriptedAgent
from tests.llm.answers import GOOD


def test_spans_and_metrics_follow_the_conventions(kernel):
    """With an exporter configured, a lane is a span with its requests inside, and tokens are counted by type."""
    from opentelemetry import metrics, trace
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter, reader = InMemorySpanExporter(), InMemoryMetricReader()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    metrics.set_meter_provider(MeterProvider([reader]))
    kernel.evolve(ScriptedAgent([Reply(GOOD, usage=Usage(10, 0, 5), model="m")]), "Multiply.")
    spans = {span.name: span for span in exporter.get_finished_spans()}
    assert spans["chat"].parent.span_id == spans["invoke_agent f"].context.span_id
    attributes = spans["chat"].attributes
    assert (attributes["gen_ai.operation.name"], attributes["gen_ai.request.model"]) == ("chat", "m")
    assert (attributes["gen_ai.usage.input_tokens"], attributes["gen_ai.usage.output_tokens"]) == (10, 5)
    found = {m.name: m for r in reader.get_metrics_data().resource_metrics for s in r.scope_metrics for m in s.metrics}
    points = found["gen_ai.client.token.usage"].data.data_points
    assert {p.attributes["gen_ai.token.type"]: p.sum for p in points} == {"input": 10, "output": 5}
