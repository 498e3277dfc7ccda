import { KubeConfig } from '@kubernetes/client-node';
import { parseConfig } from '#operator/config.ts';
import { controllerSetups } from '#operator/controllers/controller-setups.ts';
import { openLog } from '#operator/log.ts';
import { startOperator, type RunningOperator } from '#operator/operator.ts';
import { operatorNamespace, type InstalledChart } from './chart.ts';

/** What differs from the chart for an operator that runs outside its pod, beside a Redis on this machine. */
export function outsideEnvironment(chart: InstalledChart): Record<string, string> {
  return {
    ...chart.operatorEnvironment,
    ARPEGGIO_NAMESPACE: operatorNamespace,
    ARPEGGIO_POD_NAME: 'test-operator',
    ARPEGGIO_ALLOWED_HOSTS: '127.0.0.1,localhost',
    ARPEGGIO_HEALTH_PORT: '0',
    ARPEGGIO_LOG_LEVEL: process.env['ARPEGGIO_LOG_LEVEL'] ?? 'warn',
  };
}

export interface TestOperatorOptions {
  /** Default: speaks with the chart's role. */
  readonly kubeconfigPath?: string;
  /** Beside what the chart sets. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Starts the operator in this process with the chart's role and settings, and resolves when it knows the cluster. */
export async function startTestOperator(
  chart: InstalledChart,
  { kubeconfigPath = chart.kubeconfigPath, environment = {} }: TestOperatorOptions = {},
): Promise<RunningOperator> {
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromFile(kubeconfigPath);
  const config = parseConfig({ ...outsideEnvironment(chart), ...environment });
  const operator = await startOperator({ kubeConfig, config, log: openLog(config), setups: controllerSetups });
  await operator.ready;
  return operator;
}
