/* Goes through every function of editorbridge.h as a plugin written in C would.
 *   client LIBRARY DATA_FOLDER SPEC_JSON DESTINATION */
#include "editorbridge.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOAD(name) __typeof__(&name) name##_ = (__typeof__(&name))dlsym(library, #name); if (!name##_) { printf("missing %s\n", #name); return 1; }

static const char *(*reason)(void);
static pthread_t caller;
static int events, ticks, strangers;
static char last[1 << 20];

static int32_t happened(void *user, const char *json) {
  if (!pthread_equal(pthread_self(), caller)) strangers++;
  if (!json) { ticks++; return 0; }
  events++;
  snprintf(last, sizeof last, "%s", json);
  return *(int *)user > 0 && events >= *(int *)user;
}

/* The text between the quotes after "key": in a JSON object. */
static char *text(const char *json, const char *key) {
  char wanted[64];
  snprintf(wanted, sizeof wanted, "\"%s\": \"", key);
  const char *at = strstr(json, wanted);
  if (!at) return strdup("");
  at += strlen(wanted);
  size_t length = strcspn(at, "\"");
  char *copy = malloc(length + 1);
  memcpy(copy, at, length);
  copy[length] = 0;
  return copy;
}

/* What a call returned is known before its reason is asked for. */
static void tell(const char *what, int64_t result) { printf("%s %d %s\n", what, (int)result, reason()); }

static void *fail(void *client) {
  char *(*plan)(eb_client, const char *) = (char *(*)(eb_client, const char *))((void **)client)[0];
  plan(77, "{}");
  printf("other thread %s\n", reason());
  return NULL;
}

int main(int count, char **words) {
  if (count != 5) return 2;
  void *library = dlopen(words[1], RTLD_NOW);
  if (!library) { printf("failed %s\n", dlerror()); return 1; }
  LOAD(eb_abi_version) LOAD(eb_connect) LOAD(eb_disconnect) LOAD(eb_plan) LOAD(eb_submit) LOAD(eb_get) LOAD(eb_watch) LOAD(eb_cancel) LOAD(eb_fetch)
  LOAD(eb_upload) LOAD(eb_prepare_frames) LOAD(eb_models) LOAD(eb_last_error) LOAD(eb_last_reason) LOAD(eb_free)
  reason = eb_last_reason_;
  caller = pthread_self();
  printf("abi %d %s\n", eb_abi_version_(), eb_abi_version_() == EB_ABI_VERSION ? "same" : "other");
  printf("nothing [%s] [%s]\n", eb_last_error_(), eb_last_reason_());
  tell("no host", eb_connect_("/nowhere/at/all", NULL, 0));

  eb_client client = eb_connect_(words[2], NULL, 0);
  if (!client) { printf("failed %s\n", eb_last_error_()); return 1; }
  char *models = eb_models_(client);
  printf("models %d\n", models && strstr(models, "\"models/") != NULL);
  eb_free_(models);

  tell("bad json", eb_plan_(client, "{ no json") != NULL);
  tell("no spec", eb_plan_(client, NULL) != NULL);
  char *plan = eb_plan_(client, words[3]);
  if (!plan) { printf("failed %s\n", eb_last_error_()); return 1; }
  printf("feasible %d\n", strstr(plan, "\"feasible\": true") != NULL);
  eb_free_(plan);

  char job[1 << 14];
  snprintf(job, sizeof job, "{\"spec\": %s, \"labels\": {\"from\": \"c\"}}", words[3]);
  tell("bad id", eb_submit_(client, job, "x") != NULL);
  const char *id = "7b0e2f6a-4c55-4a0e-9a51-0c2d9a3f1e77";
  char *stored = eb_submit_(client, job, id), *again = eb_submit_(client, job, id);
  if (!stored || !again) { printf("failed %s\n", eb_last_error_()); return 1; }
  char *name = text(stored, "name"), *same = text(again, "name");
  printf("same job %d\n", !strcmp(name, same));

  int all = 0;
  int ended = eb_watch_(client, name, 0, happened, &all);
  printf("watched %d events %d strangers %d\n", ended, events > 1, strangers);
  char *state = text(last, "state");
  printf("state %s\n", state);
  int one = 1;
  events = 0;
  char *second = eb_submit_(client, job, NULL);
  char *secondName = text(second, "name");
  int left = eb_watch_(client, secondName, 1, happened, &one);
  printf("left %d after %d\n", left, events);
  char *cancelled = eb_cancel_(client, secondName);
  printf("cancel %d\n", cancelled != NULL);
  one = 0;
  printf("to its end %d\n", eb_watch_(client, secondName, 0, happened, &one));
  tell("no job", eb_watch_(client, "jobs/none", 0, happened, &all));

  char clip[256];
  snprintf(clip, sizeof clip, "%s/clips/1", name);
  printf("fetch %d\n", eb_fetch_(client, clip, words[4], 0));
  tell("fetch again", eb_fetch_(client, clip, words[4], 0));
  printf("fetch over %d\n", eb_fetch_(client, clip, words[4], 1));
  char *frames = eb_prepare_frames_(client, clip, 8);
  char *path = frames ? text(frames, "localPath") : strdup(eb_last_error_());
  printf("frames %s\n", path);
  char *asset = eb_upload_(client, words[4]);
  printf("asset %d\n", asset && strstr(asset, "\"name\": \"assets/") != NULL);
  char *got = eb_get_(client, name);
  printf("label %d\n", got && strstr(got, "\"from\": \"c\"") != NULL);

  pthread_t other;
  void *functions[] = { (void *)eb_plan_ };
  eb_cancel_(client, "jobs/none");
  pthread_create(&other, NULL, fail, functions);
  pthread_join(other, NULL);
  printf("own thread %s\n", eb_last_reason_());

  eb_disconnect_(client);
  eb_disconnect_(client);
  tell("stale", eb_get_(client, name) != NULL);
  eb_free_(NULL);
  for (int i = 0; i < 3; i++) { dlclose(library); library = dlopen(words[1], RTLD_NOW); }
  printf("still %d\n", eb_abi_version_());
  printf("job %s\n", name);
  return 0;
}
