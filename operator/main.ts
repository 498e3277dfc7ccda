import { KubeConfig } from '@kubernetes/client-node';
import { ConfigError, parseConfig, type Config } from './config.ts';
import { openLog } from './log.ts';
import { startOperator } from './operator.ts';
import { controllerSetups } from './controllers/controller-setups.ts';

/** A stop that takes longer is cut: the kubelet would do the same, less politely. */
const stopWithinMs = 20_000;

const config = configOrExit();
const log = openLog(config);

process.on('unhandledRejection', (error) => {
  // One forgotten promise leaves everybody else's state sound.
  log.error({ err: error }, 'a failure that nobody handled');
});
process.on('uncaughtException', (error) => {
  log.error({ err: error }, 'a failure in an unknown state; ending');
  process.exit(1);
});

const kubeConfig = new KubeConfig();
kubeConfig.loadFromDefault();
const operator = await startOperator({ kubeConfig, config, log, setups: controllerSetups });
log.info({ version: process.env['ARPEGGIO_VERSION'], healthPort: operator.healthPort }, 'started');
operator.ready.then(
  () => log.info({}, 'the cluster is known'),
  (error: unknown) => log.error({ err: error }, 'the cluster could not be read'),
);

for (const name of ['SIGTERM', 'SIGINT'] as const) {
  process.once(name, () => {
    log.info({ signal: name }, 'stopping');
    setTimeout(() => process.exit(1), stopWithinMs).unref();
    void operator.stop().then(() => process.exit(0));
  });
}

function configOrExit(): Config {
  try {
    return parseConfig(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(2);
  }
}
