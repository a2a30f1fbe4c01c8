// Exports spans as JSON with OpenTelemetry's JavaScript SDK: exporter.mjs URL
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BasicTracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";

const exporter = new OTLPTraceExporter({ url: `${process.argv[2]}/v1/traces`, timeoutMillis: 30000 });
const provider = new BasicTracerProvider({
  resource: resourceFromAttributes({ "service.name": "js-app", "agent.id": "js-agent" }),
  spanProcessors: [new BatchSpanProcessor(exporter)],
});
const span = provider.getTracer("ai").startSpan("ai.generateText.doGenerate");
span.setAttributes({
  "ai.operationId": "ai.generateText.doGenerate",
  "ai.model.id": "gpt-4o-mini",
  "ai.model.provider": "openai.chat",
  "ai.usage.inputTokens": 70,
  "ai.usage.outputTokens": 9,
  "ai.prompt.messages": '[{"role":"user","content":[{"type":"text","text":"Help"}]}]',
  "ai.response.text": "Sure",
  "ai.response.msToFirstChunk": 88.5,
});
span.end();
await provider.shutdown();
