/** What conditions need to know of a pod, whichever way it is in trouble. */
export interface PodFacts {
  readonly name: string;
  readonly isUnscheduled: boolean;
  /** The scheduler's message. */
  readonly schedulerMessage?: string;
  readonly isReady: boolean;
  /** Why its container waits, in Kubernetes' word, such as `ImagePullBackOff`. */
  readonly waitingReason?: string;
  readonly waitingMessage?: string;
  readonly restarts: number;
  /** How its container ended last. */
  readonly lastEnd?: { readonly exitCode: number; readonly reason: string; readonly message: string };
}
