/** The name of the error that a call throws, or "nothing". */
export function thrown(call) {
  try {
    call();
  } catch (error) {
    return error.name;
  }
  return "nothing";
}
